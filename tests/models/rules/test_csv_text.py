"""CSV as spreadsheets write it."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.csv_text import (
    DELIMITERS,
    Unreadable,
    decode,
    delimiter_of,
    is_filled,
    numbered,
    records,
)

# What csv.writer writes and a text file can hold: no NUL, no halves of surrogate pairs.
CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r"))
WORDS = st.text("abcdefghijklmnopqrstuvwxyzäß", min_size=1, max_size=8)
WESTERN = st.text(st.sampled_from("abc xyz0129,;\t\"'\näöüßéñ€œ–“”™"), max_size=12)


def written(
    rows: list[list[str]], delimiter: str, *, newline: str = "\r\n", every: bool = False
) -> str:
    text = StringIO()
    writer = csv.writer(
        text,
        delimiter=delimiter,
        lineterminator=newline,
        # With a line end of its own the writer leaves the other one unquoted.
        quoting=csv.QUOTE_ALL if every or newline != "\r\n" else csv.QUOTE_MINIMAL,
    )
    writer.writerows(rows)
    return text.getvalue()


def nothing(_: str) -> bool:
    return False


@st.composite
def tables(draw: st.DrawFn, cells: st.SearchStrategy[str]) -> list[list[str]]:
    """A header of words and rows of its width.

    There are two columns at least: of one alone, nothing tells a cell "," from an empty row.
    """
    header = draw(st.lists(WORDS, min_size=2, max_size=5))
    row = st.lists(cells, min_size=len(header), max_size=len(header))
    return [header, *draw(st.lists(row, max_size=6))]


def shown(rows: list[list[str]]) -> list[list[str]]:
    return [row for row in rows if is_filled(row)]


@given(
    tables(CELLS),
    st.sampled_from(DELIMITERS),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.booleans(),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_whatever_is_written_is_read_in_each_dialect_and_encoding(
    rows: list[list[str]], delimiter: str, newline: str, every: bool, encoding: str
) -> None:
    content = written(rows, delimiter, newline=newline, every=every).encode(encoding)
    assert [row for _, row in numbered(decode(content), nothing)] == shown(rows)


@given(tables(WESTERN), st.sampled_from(DELIMITERS))
def test_what_excel_writes_in_western_europe_is_read(rows: list[list[str]], delimiter: str) -> None:
    content = written(rows, delimiter).encode("cp1252")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        assert [row for _, row in numbered(decode(content), nothing)] == shown(rows)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        rows = list(numbered(decode(content), nothing))
    except Unreadable:
        return
    assert all("\x00" not in cell for _, row in rows for cell in row)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_in_both_orders_of_bytes(encoding: str) -> None:
    assert decode("\ufeffFirma\tÖl".encode(encoding)) == "Firma\tÖl"


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04workbook",
        b"\xd0\xcf\x11\xe0old",
        b"%PDF-1.7",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"name\x00",
        b"\x81\x8d",
        b"\x01\x02\x03\x04",
        "\ufeffname".encode("utf-16-le")[:-1],
    ],
)
def test_what_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(content)


def test_the_refusal_of_a_workbook_says_what_to_do() -> None:
    with pytest.raises(Unreadable, match="save it as CSV"):
        decode(b"PK\x03\x04...")


def test_a_stray_control_character_does_not_spoil_a_file() -> None:
    assert decode(b"name\n" + b"a" * 200 + b"\x0b\x1f") != ""


def test_a_line_that_names_the_delimiter_is_obeyed_and_not_counted() -> None:
    text = "sep=;\r\na,b;c\r\n1;2\r\n"
    assert list(numbered(text, nothing)) == [(1, ["a,b", "c"]), (2, ["1", "2"])]


def test_rows_have_the_numbers_that_a_spreadsheet_shows() -> None:
    text = '\nname,notes\nA,"two\nlines"\n\n,\nB,\n'
    assert list(numbered(text, nothing)) == [
        (2, ["name", "notes"]), (3, ["A", "two\nlines"]), (6, ["B", ""]),
    ]  # fmt: skip


def test_known_headers_tell_the_delimiter_before_the_number_of_columns() -> None:
    text = "name, or so;email\nA;a@b.de\n"
    assert delimiter_of(text, lambda header: header == "email") == ";"


def test_a_single_column_may_hold_any_delimiter() -> None:
    text = "name\nMeier, Sons\nA;B\nC,D;E\n"
    assert [row for _, row in numbered(text, nothing)] == [
        ["name"], ["Meier, Sons"], ["A;B"], ["C,D;E"],
    ]  # fmt: skip


def test_a_quote_that_is_never_closed_swallows_no_rows() -> None:
    with pytest.raises(Unreadable, match="line 2"):
        list(records('name,notes\nA,"open\nB,b\nC,c\n', ","))


def test_a_cell_longer_than_any_is_refused() -> None:
    with pytest.raises(Unreadable, match="field limit"):
        list(records("a" * 200_000, ","))


def test_the_last_line_needs_no_end() -> None:
    assert list(records('a,"b"', ",")) == [["a", "b"]]
