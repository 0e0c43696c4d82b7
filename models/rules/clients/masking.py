"""What no prompt may hold: e-mail addresses, phone numbers and credentials, masked in any text.

Source: clients/common.yaml, rules.ai. Rather too much is masked than too little; dates and amounts
are left, because drafts rest on them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

EMAIL: Final = "[e-mail address]"
PHONE: Final = "[phone number]"
SECRET: Final = "[credential]"

_LOCAL = r"[\w.!#$%&'*+/=?^`{|}~-]"
_EMAIL = re.compile(
    # From where a name begins: each letter of a long word as a beginning would take for ever.
    rf"(?<!{_LOCAL}){_LOCAL}+(?:[@＠﹫][\w-]+(?:\.[\w-]+)+"
    r"|\s?(?:@|[(\[]at[)\]])\s?(?:[\w-]+\.)+[^\W\d_]{2,})",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"\b(?:(?:sk|pk|rk|key)(?=[\w.-]{0,60}\d)|ghp|gho|xox[abprs]|whsec|eyJ|AKIA|AIza)[-_]?[A-Za-z0-9_\-.]{12,}"
    r"|(?<=Bearer )\S+"
)
_NAMED_SECRET = re.compile(
    r"(?P<name>\b(?:pass(?:word|wort|code)?|pwd|pw|pin|secret|token|api[ _-]?key|kennwort)"
    r"(?:\s+is|\s*[:=]))\s*\S+",
    re.IGNORECASE,
)
_DASH = r"\u2010-\u2015\u2212-"
_PHONE = re.compile(
    rf"(?<![\w.,/-])(?:\+|00)?\(?\d[\d()/. \u00a0\u2009\u202f{_DASH}]{{5,}}\d(?![\w%])"
)
_YEAR = r"(?:19|20)\d{2}"
_DAY = re.compile(
    rf"(?<!\d)(?:{_YEAR}-\d{{2}}(?:-\d{{2}})?|\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{2,4}})(?!\d)"
)
_WHOLE_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])", re.ASCII)
"""A date by itself is one of ours, of whatever year."""
_RANGE = re.compile(rf"{_YEAR}\s*[/{_DASH}]\s*{_YEAR}|[1-9]\d*0\s*[/{_DASH}]\s*[1-9]\d*0")
"""Years, or round numbers: 1200-1500 is no phone number."""
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:[ \u00a0.]\d{3})+(?:[.]\d{1,2})?|[1-9]\d*\.\d+")
_PLATFORMS_OWN: Final = ("campaign_id",)
"""Ids of ten or twelve digits that read like phone numbers, and that an answer refers to."""
_SHORTEST, _LONGEST = 7, 15
_SHORTEST_PLAIN = 9
"""Digits without any separator that count as a phone number: fewer are an amount or a number."""


def masked(text: str) -> str:
    """The text without what must not leave the house."""
    text = _NAMED_SECRET.sub(lambda match: f"{match['name']} {SECRET}", text)
    text = _EMAIL.sub(EMAIL, _SECRET.sub(SECRET, text))
    return _PHONE.sub(lambda match: PHONE if _is_phone(match[0]) else match[0], text)


def masked_json(given: Any) -> Any:
    """The value with every text in it masked; ids that platforms give are left as they are."""
    if isinstance(given, str):
        return given if _WHOLE_DAY.fullmatch(given) else masked(given)
    if isinstance(given, Mapping):
        return {
            name: inner if name in _PLATFORMS_OWN else masked_json(inner)
            for name, inner in given.items()
        }
    if isinstance(given, Sequence):
        return [masked_json(inner) for inner in given]
    return given


def _is_phone(written: str) -> bool:
    digits = [letter for letter in written if letter.isdigit()]
    if not _SHORTEST <= len(digits) <= _LONGEST or _GROUPED.fullmatch(written):
        return False
    if _RANGE.fullmatch(written):
        return False
    without_days = _DAY.sub("", written)
    if without_days != written and sum(letter.isdigit() for letter in without_days) < _SHORTEST:
        return False
    if written.startswith(("+", "00", "(")):
        return True
    return not written.isdigit() or len(digits) >= _SHORTEST_PLAIN
