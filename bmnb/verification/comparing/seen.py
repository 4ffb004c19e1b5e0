"""What a comparison has seen of a folder."""

from typing import Any, Dict, List, Optional, Tuple

from .paths import KEPT, readable, text


class Seen:
    """What the comparison of a folder came to; `wrong` and `links` begin with the path."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.entries = self.bytes = self.content = self.same = self.before = 0
        self.wrong = []  # type: List[Tuple[str, Dict[str, Any]]]
        self.links = []  # type: List[Tuple[str, Optional[str], Optional[str]]]
        self.mail = None  # type: Any
        self.known = b""


def item_of(place: str, path: bytes) -> Dict[str, Any]:
    return {"item": readable(text(path)), "place": place.lstrip(KEPT)}
