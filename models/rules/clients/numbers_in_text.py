"""Numbers and dates as people write them: what a text says in figures, in words and in days.

Every digit of a text ends up in exactly one of what is found: a number, a date, or a mark such as
B2B, whose digits count nothing. A number keeps its unit, the last place that its writing shows:
3.6 has a tenth, 1.25k has ten.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTH: Final = "|".join(f"{name}|{name[:3]}" for name in _MONTHS) + "|sept"
_TH: Final = r"(?:st|nd|rd|th)?"
_D: Final = r"\d{1,2}"
_Y: Final = r"(?:19|20)\d{2}"
_TO: Final = r"\s*(?:–|—|-|to|and|until)\s*"
_SUFFIXES: Final = {
    "k": 3, "m": 6, "mn": 6, "mio": 6, "million": 6, "millions": 6, "b": 9, "bn": 9, "billion": 9,
    "billions": 9, "thousand": 3, "thousands": 3, "hundred": 2, "trillion": 12, "tn": 12,
}  # fmt: skip
_CURRENCY: Final = frozenset(
    "aud brl cad chf cny czk dkk eur gbp hkd huf inr jpy krw mxn nok nzd pln rs sek sgd try us usd "
    "zar a c s nz hk".split()
)
HARMLESS_MARKS: Final = frozenset({"b2b", "b2c", "d2c", "b2b2c", "ga4"})
"""Names that happen to have a digit."""

_UNITS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS: Final = {
    "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14,
    "fifteenth": 15, "sixteenth": 16, "seventeenth": 17, "eighteenth": 18, "nineteenth": 19,
    "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
_SMALL: Final = {
    **{word: number for number, word in enumerate(_UNITS)},
    **{word: 10 * number for number, word in enumerate(_TENS, start=2)},
    **{
        f"{tens}{unit}": 10 * number + at
        for number, tens in enumerate(_TENS, start=2)
        for at, unit in enumerate(_UNITS[1:10], start=1)
    },
    **{f"{word[:-1]}ies": 10 * number for number, word in enumerate(_TENS, start=2)},
    **{f"{word}fold": number for number, word in enumerate(_UNITS) if number > 1},
    **{f"{word}fold": 10 * number for number, word in enumerate(_TENS, start=2)},
    **{
        f"{stem}{end}": number
        for stem, number in (("trebl", 3), ("quadrupl", 4), ("quintupl", 5), ("sextupl", 6))
        for end in ("e", "ed", "es", "ing")
    },
    **_ORDINALS,
    "thirds": 3, "fifths": 5, "dozen": 12, "dozens": 12, "first": 1, "second": 2, "double": 2,
    "doubled": 2, "doubles": 2, "doubling": 2, "twice": 2, "triple": 3, "tripled": 3,
    "triples": 3, "tripling": 3, "thrice": 3, "hundredfold": 100, "thousandfold": 1000,
}  # fmt: skip
_SCALES: Final = {
    "hundred": 100, "hundreds": 100, "thousand": 1000, "thousands": 1000, "million": 10**6,
    "millions": 10**6, "billion": 10**9, "billions": 10**9, "trillion": 10**12,
}  # fmt: skip
_HARMLESS_ALONE: Final = frozenset({"one", "first", "second"})
"""Said of anything: "one of them", "at first", "a second meeting"; never a figure by themselves."""
_HALF: Final = Decimal("0.5")
_CENT: Final = Decimal("0.01")
_PARTS: Final = {
    "third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10,
}  # fmt: skip
_IDIOMS: Final = re.compile(
    r"\bdoubl(?:e|es|ed|ing)[ -](?:down|check\w*|opt)\b|\bthird[ -]part(?:y|ies)\b", re.IGNORECASE
)
"""Words of numbers that count nothing."""
_PART_SIGN: Final = re.compile(r"(?<!\d)(?P<whole>\d+)?[ \u2009\u202f]?(?P<part>[¼-¾⅐-⅞])")
_PART: Final = "|".join(_PARTS)
_COUNT: Final = "|".join(_UNITS[1:10])
_SHARE: Final = re.compile(
    rf"\b(?P<n>an?|{_COUNT}|\d{{1,2}})[ -](?P<of>{_PART})s?\s+of\b"
    rf"|\b(?P<n2>{_COUNT})[ -](?P<of2>{'|'.join(one for one in _PARTS if one != 'quarter')})s?\b"
    rf"|\b(?:by|up|down)\s+an?\s+(?P<of3>{_PART})\b"
    r"|(?<![\w./,])(?P<n4>\d{1,3})/(?P<of4>[1-9]\d{0,2})\s+of\b",
    re.IGNORECASE,
)
"""A third of something is not the number three; two quarters without an "of" are half a year."""
_ROMAN: Final = re.compile(r"\b(?=[IVX]{2,}\b)(?P<x>X{0,3})(?P<rest>IX|IV|V?I{0,3})\b")
_ROMAN_UNITS: Final = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number as it is written; `unit` is the last place that it shows.

    One that `is_share` may be a percentage in the sources: a third is 33 %.
    """

    said: str
    value: Decimal
    unit: Decimal = Decimal(1)
    is_share: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A date as far as it is said: any of its parts may be missing, `months` is a stretch."""

    said: str
    year: int | None = None
    months: tuple[int, ...] = ()
    day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """One piece of writing that can be read in several ways; each reading is whole."""

    said: str
    readings: tuple[tuple[Figure | Day, ...], ...]


@dataclass(slots=True)
class Reading:
    """What was found in a text."""

    figures: list[Figure] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    ambiguous: list[Ambiguous] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)


def _month(name: str) -> int:
    return next(at for at, full in enumerate(_MONTHS, 1) if full.startswith(name[:3].lower()))


def _whole(text: str | None) -> int | None:
    return int(text) if text else None


def _iso(match: re.Match[str]) -> tuple[Day, ...]:
    year, month, day = int(match["y"]), int(match["m"]), _whole(match["d"])
    return (Day(said=match[0], year=year, months=(month,), day=day),)


def _named(match: re.Match[str]) -> tuple[Day, ...]:
    parts = match.groupdict()
    year, months = _whole(parts.get("y")), (_month(match["m"]),)
    days = [int(parts[key]) for key in ("d1", "d2") if parts.get(key)]
    if not days:
        return (Day(said=match[0], year=year, months=months),)
    return tuple(Day(said=match[0], year=year, months=months, day=day) for day in days)


def _quarter(match: re.Match[str]) -> tuple[Day, ...]:
    kind, number = match["kind"].lower(), int(match["n"])
    length = 3 if kind == "q" else 6
    first = (number - 1) * length + 1
    months = tuple(range(first, first + length))
    return (Day(said=match[0], year=_whole(match["y"]), months=months),)


_DATES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[Day, ...]]], ...]] = (
    (re.compile(
        rf"\b(?P<y>{_Y})-(?P<m>0[1-9]|1[0-2])(?:-(?P<d>0[1-9]|[12]\d|3[01]))?"
        r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?![\w-]|\.\d)"
    ), _iso),
    (re.compile(
        rf"\b(?P<d1>{_D}){_TH}(?:{_TO}(?P<d2>{_D}){_TH})?\s+(?:of\s+)?(?P<m>{_MONTH})\b\.?"
        rf"(?:,?\s+(?P<y>{_Y})\b)?(?!\.\d)", re.IGNORECASE
    ), _named),
    (re.compile(
        rf"\b(?P<m>{_MONTH})\b\.?\s+(?P<d1>{_D}){_TH}(?:{_TO}(?P<d2>{_D}){_TH})?\b(?![.,]?\d|%)"
        rf"(?:,?\s+(?P<y>{_Y})\b)?", re.IGNORECASE
    ), _named),
    (re.compile(rf"\b(?P<m>{_MONTH})\b\.?,?\s+(?P<y>{_Y})\b(?![.,]\d)", re.IGNORECASE), _named),
    (re.compile(rf"\b(?P<kind>[QH])(?P<n>[1-4])\b(?:\s+(?P<y>{_Y})\b)?", re.IGNORECASE), _quarter),
)  # fmt: skip
_SLASHED: Final = re.compile(
    rf"(?<![\w/.])(?P<a>{_D})(?P<sep>[./])(?P<b>{_D})(?P=sep)(?P<y>{_Y}|\d{{2}})(?![\w/]|\.\d)"
)
DAY_OF_YEAR: Final = re.compile(
    r"(?<![\w.,-])(?P<m>0[1-9]|1[0-2])-(?P<d>0[1-9]|[12]\d|3[01])(?![\w-]|[.,]\d)"
)
"""MM-DD, which may also be a range of two numbers."""
_MARK: Final = re.compile(r"\b(?=\w*[^\W\d_]\d)\w+")
_MONEY: Final = re.compile(r"(?P<currency>[^\W\d_]+)\d+")
_FIGURE: Final = re.compile(
    r"(?P<number>\d(?:[\d.,'’ ]*\d)?)(?P<after>\w*)"
    r"(?:[ -](?P<scale>hundred|thousand|million|billion|trillion|bn|mn)\b)?",
    re.IGNORECASE,
)
_ENGLISH: Final = re.compile(r"(?:\d{1,3}(?:[,'’]\d{3})+|\d+)(?:\.\d+)?")
_SPACED: Final = re.compile(r"\d{1,3}(?: \d{3})+(?:\.\d+)?")
_CONTINENTAL: Final = re.compile(r"(?:\d{1,3}(?:[. ]\d{3})+|\d+)(?:,\d+)?")
_GAP: Final = " ; "
"""What is left where something was found: no two numbers become one."""
_WORDS: Final = re.compile(r"[^\W\d_]+")


def read(text: str, *, continental: bool = False) -> Reading:
    """Find every number and date; `continental` also reads 1.250 as people there write it.

    What can be nothing else, such as 1.250,50, is always read so.
    """
    found = Reading()
    rest = _PART_SIGN.sub(lambda match: _part_sign(found, match), _seen(text))
    rest = _IDIOMS.sub(_GAP, unicodedata.normalize("NFKC", rest))
    for pattern, days_of in _DATES:
        for match in pattern.finditer(rest):
            found.days.extend(days_of(match))
        rest = pattern.sub(_GAP, rest)
    rest = _SHARE.sub(lambda match: _share(found, match), rest)
    rest = _ROMAN.sub(lambda match: _roman(found, match), rest)
    rest = _SLASHED.sub(lambda match: _slashed(found, match), rest)
    rest = DAY_OF_YEAR.sub(lambda match: _day_of_year(found, match), rest)
    rest = _MARK.sub(lambda match: _mark(found, match), rest)
    rest = _FIGURE.sub(lambda match: _figure(found, match, continental), rest)
    found.figures.extend(_in_words(rest))
    return found


def _seen(text: str) -> str:
    """The text without what nobody sees in it, and with signs such as Ⅻ as numbers."""
    return "".join(
        f" {int(unicodedata.numeric(letter))} " if unicodedata.category(letter) == "Nl" else letter
        for letter in text
        if unicodedata.category(letter) != "Cf"
    )


def _part_sign(found: Reading, match: re.Match[str]) -> str:
    whole = Decimal(match["whole"] or 0)
    value = whole + round(Decimal(unicodedata.numeric(match["part"])), 2)
    found.figures.append(Figure(said=match[0], value=value, unit=_CENT, is_share=not whole))
    return _GAP


def _share(found: Reading, match: re.Match[str]) -> str:
    parts = match.groupdict()
    count = (parts["n"] or parts["n2"] or parts["n4"] or "a").lower()
    of = parts["of"] or parts["of2"] or parts["of3"] or parts["of4"]
    share = Decimal(_SMALL.get(count) or (1 if count in ("a", "an") else int(count)))
    share /= _PARTS.get(of.lower()) or int(of)
    found.figures.append(Figure(said=match[0], value=round(share, 2), unit=_CENT, is_share=True))
    return _GAP


def _roman(found: Reading, match: re.Match[str]) -> str:
    value = 10 * len(match["x"]) + _ROMAN_UNITS.index(match["rest"])
    found.figures.append(Figure(said=match[0], value=Decimal(value)))
    return _GAP


def _slashed(found: Reading, match: re.Match[str]) -> str:
    year = int(match["y"]) if len(match["y"]) == 4 else 2000 + int(match["y"])
    orders = ((match["a"], match["b"]), (match["b"], match["a"]))
    readings = tuple(
        (Day(said=match[0], year=year, months=(int(month),), day=int(day)),)
        for day, month in orders
        if 1 <= int(month) <= 12
    )
    found.ambiguous.append(Ambiguous(said=match[0], readings=readings))
    return _GAP


def _day_of_year(found: Reading, match: re.Match[str]) -> str:
    month, day = int(match["m"]), int(match["d"])
    as_range = tuple(Figure(said=match[0], value=Decimal(number)) for number in (month, day))
    as_day = (Day(said=match[0], months=(month,), day=day),)
    found.ambiguous.append(Ambiguous(said=match[0], readings=(as_day, as_range)))
    return _GAP


def _mark(found: Reading, match: re.Match[str]) -> str:
    word = match[0].lower()
    money = _MONEY.fullmatch(word)
    if money is not None and money["currency"] in _CURRENCY:
        return word.replace(money["currency"], f"{money['currency']} ", 1)
    found.marks.add(word)
    return _GAP


def _figure(found: Reading, match: re.Match[str], continental: bool) -> str:
    said, after = match[0].strip(), match["after"].lower()
    scale = _SUFFIXES.get(after, 0) or _SUFFIXES.get((match["scale"] or "").lower(), 0)
    readings = tuple(
        tuple(
            # Of several numbers in a row the suffix belongs to the last.
            _made(said, digits, scale if at == len(one) else 0)
            for at, digits in enumerate(one, start=1)
        )
        for one in _digits(match["number"], continental)
    )
    if len(readings) == 1:
        found.figures.extend(readings[0])
    else:
        found.ambiguous.append(Ambiguous(said=said, readings=readings))
    return _GAP


def _made(said: str, digits: str, scale: int) -> Figure:
    value = Decimal(digits)
    places = len(digits.partition(".")[2])
    return Figure(said=said, value=value.scaleb(scale), unit=Decimal(1).scaleb(scale - places))


def _digits(number: str, continental: bool) -> Iterator[list[str]]:
    """The ways to read a run of digits and separators; a list of single numbers comes last."""
    if _ENGLISH.fullmatch(number):
        yield [re.sub(r"[,'’]", "", number)]
    elif _SPACED.fullmatch(number):
        yield [number.replace(" ", "")]
    is_english = bool(_ENGLISH.fullmatch(number))
    is_continental = bool(_CONTINENTAL.fullmatch(number)) and bool(re.search(r"[., ]", number))
    if is_continental and (continental or not is_english):
        yield [re.sub(r"[. ]", "", number).replace(",", ".")]
    if not is_english and not (continental and is_continental and " " not in number):
        pieces = re.split(r"[ '’]|,(?!\d{3}(?!\d))", number)
        yield [piece for one in pieces for piece in _plain(one)]


def _plain(piece: str) -> list[str]:
    if _ENGLISH.fullmatch(piece):
        return [piece.replace(",", "")]
    return re.findall(r"\d+", piece)


def _in_words(text: str) -> Iterator[Figure]:
    """Numbers that are spelled: twelve, twenty-five, two hundred and fifty thousand, half."""
    run: list[str] = []
    for piece in re.split(r"([^\W\d_]+)", text.lower()):
        if piece in _SMALL or piece in _SCALES or (piece == "and" and run and run[-1] in _SCALES):
            run.append(piece)
        elif _WORDS.fullmatch(piece) or (piece.strip(" -") and run):
            # The first and the second half are stretches of time, not shares.
            if piece in ("half", "halved", "halving") and run not in (["first"], ["second"]):
                yield Figure(said=piece, value=_HALF, unit=Decimal("0.1"))
            yield from _spelled(run)
            run = []
    yield from _spelled(run)


def _spelled(run: list[str]) -> Iterator[Figure]:
    words = run[:-1] if run and run[-1] == "and" else run
    for group in _groups(words):
        if len(group) == 1 and group[0] in _HARMLESS_ALONE:
            continue
        yield Figure(said=" ".join(group), value=Decimal(_valued(group)))


def _groups(words: list[str]) -> Iterator[list[str]]:
    """Split where one number ends and the next begins: "two three" are two numbers."""
    group: list[str] = []
    for word in words:
        if group and word in _SMALL and group[-1] in _SMALL and not _joins(group[-1], word):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _joins(tens: str, unit: str) -> bool:
    return tens in _TENS and _SMALL[unit] in range(1, 10)


def _valued(group: list[str]) -> int:
    total = part = 0
    for word in group:
        if word in _SMALL:
            part += _SMALL[word]
        elif word in ("hundred", "hundreds"):
            part = (part or 1) * 100
        elif word in _SCALES:
            total += (part or 1) * _SCALES[word]
            part = 0
    return total + part
