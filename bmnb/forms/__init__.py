"""What a consultant types in a notebook. Forms collect; cells act."""

from bmnb.forms.answers import ask
from bmnb.forms.begin import start
from bmnb.forms.notes import notes
from bmnb.forms.parameters import form
from bmnb.forms.passphrases import unlock

__all__ = ["ask", "form", "notes", "start", "unlock"]
