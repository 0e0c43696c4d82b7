"""What every import of a CSV file shares: columns by their headers, rows, and what is wrong there.

Knows nothing of what is imported: that says which fields there are and how a cell is read. A file
that is no table is refused as a whole; a row that is wrong is reported and the rest is taken.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from models.errors import Invalid, PayloadTooLarge, ProblemItem
from models.rules.csv_text import Unreadable, decode, is_filled, numbered

T = TypeVar("T")

FILE: Final = "form.file"
MAPPING: Final = "form.mapping"
_COLUMNS: Final = 200
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Something that a column can hold, and the headers it is known by, as `folded` has them.

    A `loose` name is taken only where no other name is there: "name" means many things.
    """

    key: str
    names: tuple[str, ...]
    loose: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The fields of an import, those that a file must have, and how much it may hold."""

    fields: tuple[Field, ...]
    required: tuple[str, ...]
    max_bytes: int
    max_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """What is wrong in a row; `row` is what a spreadsheet shows, where the header is 1."""

    row: int
    column: str | None
    message: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column holds which field, and the headers that nothing is known about."""

    headers: tuple[str, ...]
    positions: Mapping[str, int]
    unknown: tuple[str, ...]

    def header(self, field: str) -> str | None:
        position = self.positions.get(field)
        return None if position is None else self.headers[position]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file as far as it could be read: records as wide as they are, with their numbers."""

    columns: Columns
    records: tuple[tuple[int, list[str]], ...]


class Row:
    """The cells of one row, by field; what is wrong with them is remembered."""

    def __init__(self, number: int, record: Sequence[str], columns: Columns) -> None:
        self.number = number
        self.errors: list[RowError] = []
        self._record = record
        self._columns = columns

    def cell(self, field: str) -> str | None:
        """What the cell says without the blanks around it; nothing if it is blank."""
        position = self._columns.positions.get(field)
        if position is None or position >= len(self._record):
            return None
        return self._record[position].strip() or None

    def read(self, field: str, rule: Callable[[str], T]) -> T | None:
        """The cell as the rule reads it, which raises ValueError for what it does not take."""
        text = self.cell(field)
        if text is None:
            return None
        try:
            return rule(text)
        except ValueError as wrong:
            self.refuse(field, str(wrong))
            return None

    def refuse(self, field: str | None, message: str) -> None:
        """Report the row, and the cell of the field in it."""
        value = self.cell(field) if field is not None else None
        self.errors.append(
            RowError(
                row=self.number,
                column=self._columns.header(field) if field is not None else None,
                message=message,
                value=value[:_SHOWN] if value is not None else None,
            )
        )


def flag(text: str) -> bool:
    """A yes or a no as people write it."""
    word = text.casefold()
    if word in ("yes", "y", "true", "t", "1", "x", "primary", "✓"):
        return True
    if word in ("no", "n", "false", "f", "0", "-"):
        return False
    raise ValueError("Should be yes or no")


def read_table(
    content: bytes, layout: Layout, mapping: Mapping[str, str | None] | None = None
) -> Table:
    """The table that the file is; `mapping` says of headers which field they are, or none.

    Raises:
        Invalid: it is no CSV, has no header, or lacks a column; or the mapping fits neither.
        PayloadTooLarge: it has more bytes or rows than the layout takes.
    """
    if len(content) > layout.max_bytes:
        megabytes = layout.max_bytes // (1024 * 1024)
        raise _too_large(f"The file is larger than {megabytes} MB.")
    try:
        found = numbered(decode(content), _known(layout.fields))
        header = next(found, None)
        if header is None:
            raise Unreadable("The file is empty.")
        columns = columns_of(header[1], layout, mapping or {})
        rows = tuple(_bounded(found, layout.max_rows))
    except Unreadable as why:
        raise _invalid(FILE, str(why)) from why
    return Table(columns=columns, records=rows)


def read_rows(table: Table, read: Callable[[Row], T]) -> tuple[list[T], list[RowError]]:
    """Every row as `read` has it, but for those that it has reported something of."""
    taken: list[T] = []
    errors: list[RowError] = []
    width = len(table.columns.headers)
    for number, record in table.records:
        row = Row(number, record, table.columns)
        if is_filled(record[width:]):
            row.refuse(None, "The row has more cells than the header")
        made = read(row)
        if row.errors:
            errors.extend(row.errors)
        else:
            taken.append(made)
    return taken, errors


def folded(header: str) -> str:
    """A header without case, blanks and punctuation, so that "E-mail" is "email"."""
    text = unicodedata.normalize("NFKC", header).casefold()
    return "".join(character for character in text if character.isalnum())


def columns_of(record: Sequence[str], layout: Layout, mapping: Mapping[str, str | None]) -> Columns:
    """Which column is what: first as the caller maps them, then by names, then by loose names."""
    if len(record) > _COLUMNS:
        raise _invalid(FILE, f"The file has more than {_COLUMNS} columns.")
    headers = tuple(header.strip() for header in record)
    keys = [folded(header) for header in headers]
    positions = _mapped(headers, layout, mapping)
    settled = set(positions.values()) | {keys.index(folded(header)) for header in mapping}
    wanted = [(field.key, field.names) for field in layout.fields]
    for key, names in [*wanted, *((field.key, field.loose) for field in layout.fields)]:
        free = (at for name in names for at in _places(keys, name, settled))
        if key not in positions and (place := next(free, None)) is not None:
            positions[key] = place
            settled.add(place)
    missing = [key for key in layout.required if key not in positions]
    if missing:
        raise _invalid(FILE, f"The file has no column for {' and '.join(missing)}.")
    unknown = tuple(name for at, name in enumerate(headers) if name and at not in settled)
    return Columns(headers=headers, positions=positions, unknown=unknown)


def _mapped(
    headers: Sequence[str], layout: Layout, mapping: Mapping[str, str | None]
) -> dict[str, int]:
    """The columns that the caller names himself."""
    keys = [folded(header) for header in headers]
    fields = {field.key for field in layout.fields}
    positions: dict[str, int] = {}
    for header, key in mapping.items():
        where = f"{MAPPING}.{header}"
        if folded(header) not in keys:
            raise _invalid(where, "The file has no such column.")
        if key is None:
            continue
        if key not in fields:
            raise _invalid(where, f"There is no such field; there are {', '.join(sorted(fields))}.")
        if key in positions:
            raise _invalid(where, f"Another column is {key} already.")
        positions[key] = keys.index(folded(header))
    return positions


def _places(keys: Sequence[str], name: str, settled: set[int]) -> Iterator[int]:
    return (at for at, key in enumerate(keys) if key == name and at not in settled)


def _known(fields: Iterable[Field]) -> Callable[[str], bool]:
    names = {name for field in fields for name in (*field.names, *field.loose)}
    return lambda header: folded(header) in names


def _bounded(
    records: Iterator[tuple[int, list[str]]], most: int
) -> Iterator[tuple[int, list[str]]]:
    for count, record in enumerate(records, start=1):
        if count > most:
            raise _too_large(f"The file has more than {most:,} rows.")
        yield record


def _invalid(location: str, message: str) -> Invalid:
    item = ProblemItem(location=location, message=message)
    return Invalid("The file cannot be imported.", item)


def _too_large(message: str) -> PayloadTooLarge:
    return PayloadTooLarge(message, ProblemItem(location=FILE, message=message))
