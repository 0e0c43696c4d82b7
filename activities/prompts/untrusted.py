"""Fencing text that came from outside, so that a model reads it as material and not as orders."""

import hashlib

_MARK = 12


def fence(text: str, name: str = "") -> str:
    """Put text between two marks that it cannot contain, because they are made from its hash.

    The same text always gets the same marks: prompts stay cacheable, and repeated steps alike.
    """
    mark = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_MARK]
    label = " ".join(name.replace('"', "'").replace("<", " ").replace(">", " ").split())[:200]
    opening = f'<material mark="{mark}" name="{label}">' if label else f'<material mark="{mark}">'
    return f'{opening}\n{text}\n</material mark="{mark}">'
