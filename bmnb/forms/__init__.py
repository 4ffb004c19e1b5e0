"""What a consultant types in a notebook. Forms collect; cells act."""

from bmnb.forms.answers import ask
from bmnb.forms.begin import start
from bmnb.forms.parameters import form

__all__ = ["ask", "form", "start"]
