"""What text PostgreSQL can store: neither null bytes nor halves of surrogate pairs."""

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Tell whether the text can be stored; JSON can carry text that cannot."""
    return _UNSTORABLE.search(text) is None


def storable(text: str) -> str:
    """Replace what cannot be stored, for text from outside that nobody can be asked to mend."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
