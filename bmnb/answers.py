"""Whether what somebody has answered answers the question."""

from __future__ import annotations

import re

from bmnb.steps import Manual

OVER_BUDGET = "over-budget"
"""The answer that has the service stopped whatever downtime is expected: a name, a reason."""

SAYS_NO_MORE = (
    *("yes", "y", "ok", "okay", "done", "true", "x", "later", "skip", "skipped", "todo", "tbd"),
    *("oui", "o", "fait", "vrai", "plus tard"),
)
DENIALS = (
    r"^(no|none|not|nothing|nobody|never|n/?a|aucune?|non|pas|rien|personne|néant|jamais)(?![\w-])(?!\W*\d)",
    r"\b(none|nothing|nobody|not|yet|aucune?|rien|personne|pas)\W*$",
    r"\b(no|without|sans|pas de|aucune?) ((a|any|full|system) )*(backup|snapshot|sauvegarde|instantané)",
)


def is_signed(answer: str) -> bool:
    """Whether an answer is a name, a comma and a reason."""
    who, _, why = answer.partition(",")
    return bool(who.strip() and why.strip())


def settles(manual: Manual, answer: str) -> bool:
    """The expected word; else somebody and what can be seen, for which neither “none” nor “yes” is an answer."""
    if manual.expect:
        return answer == manual.expect
    said = answer.strip().casefold()
    if not any(letter.isalnum() for letter in said) or said.strip(" .!") in SAYS_NO_MORE:
        return False
    return not any(re.search(denial, said) for denial in DENIALS)
