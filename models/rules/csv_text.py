"""CSV as spreadsheets write it: which bytes are which characters, and which characters cells.

UTF-8 and UTF-16 are told by their mark, UTF-8 also without one; what is neither is Windows-1252, as
Excel writes "CSV" in western Europe. Cells are parted by comma, semicolon or tab.
"""

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from itertools import chain, islice
from typing import Final

DELIMITERS: Final = (",", ";", "\t")

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FOREIGN: Final = (
    (b"PK\x03\x04", "an Excel workbook or another archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
)
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1f\x7f]")
_TOLERATED: Final = 100
"""Of so many characters one may be a control character before a text is none."""
_SEP_LINE = re.compile(r"sep=([,;\t])(\r\n|\n|\r)", re.IGNORECASE)
_SAMPLE: Final = 200
"""So many records, and headers, are looked at before a delimiter is chosen."""
_LINES: Final = 100_000
"""After so many lines a blank one is a sign that nobody meant what follows."""
_END: Final = "\x00"
"""A record of its own after the last one: a cell that has swallowed it was never closed."""


class Unreadable(ValueError):
    """The bytes are no CSV; the message says why, to whoever made them."""


def decode(content: bytes) -> str:
    """The text of a file.

    Raises:
        Unreadable: it is another kind of file.
    """
    for mark, kind in _FOREIGN:
        if content.startswith(mark):
            raise Unreadable(f"This is {kind}; save it as CSV.")
    text = _decoded(content)
    if _END in text or len(_CONTROLS.findall(text)) * _TOLERATED > len(text):
        raise Unreadable("This is not a text file.")
    return text


def _decoded(content: bytes) -> str:
    marked = [encoding for mark, encoding in _MARKS if content.startswith(mark)]
    for encoding in marked or ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("The text is neither UTF-8 nor UTF-16 nor Windows-1252.")


def numbered(text: str, is_known: Callable[[str], bool]) -> Iterator[tuple[int, list[str]]]:
    """The records that are not blank, each with the number that a spreadsheet shows beside it.

    `is_known` tells the headers that are looked for, by which the delimiter is recognised.

    Raises:
        Unreadable: a quoted cell is never closed, or is longer than any cell.
    """
    told = _SEP_LINE.match(text)
    if told is not None:
        # Excel takes the line for an order, and neither shows nor counts it.
        text = text[told.end() :]
    delimiter = told[1] if told is not None else delimiter_of(text, is_known)
    for number, record in enumerate(records(text, delimiter), start=1):
        if is_filled(record):
            yield number, record
        elif number > _LINES:
            raise Unreadable("The file has too many blank lines.")


def is_filled(record: Sequence[str]) -> bool:
    """Tell whether any cell of the record says anything."""
    return any(cell.strip() for cell in record)


def records(text: str, delimiter: str) -> Iterator[list[str]]:
    """Every record of the text, also the blank ones; quoted cells may hold line breaks."""
    lines = chain(StringIO(text, newline=""), [_END])
    reader = csv.reader(lines, delimiter=delimiter)
    begins = 1
    try:
        for record in reader:
            if record == [_END]:
                return
            if record and record[-1].endswith(_END):
                raise Unreadable(f"A quoted cell of line {begins} or after is never closed.")
            yield record
            begins = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(f"Line {begins} cannot be read: {error}.") from error


def delimiter_of(text: str, is_known: Callable[[str], bool]) -> str:
    """The delimiter of most known headers, of most headers, and of fewest rows of another width."""

    def merit(delimiter: str) -> tuple[int, int, int]:
        try:
            sample = list(filter(is_filled, islice(records(text, delimiter), _SAMPLE)))
        except Unreadable:
            return (0, 0, 0)
        if not sample:
            return (0, 0, 0)
        width = len(sample[0])
        odd = sum(len(record) != width for record in sample)
        return sum(map(is_known, sample[0][:_SAMPLE])), width, -odd

    return max(DELIMITERS, key=merit)
