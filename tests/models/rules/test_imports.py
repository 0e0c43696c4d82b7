"""What every import shares: columns by header, typed cells, errors by row."""

import pytest

from models.errors import DomainError, Invalid, PayloadTooLarge
from models.rules.imports import (
    Columns,
    Field,
    Layout,
    Row,
    columns_of,
    flag,
    folded,
    read_rows,
    read_table,
)

LAYOUT = Layout(
    fields=(
        Field(key="firm", names=("company", "firm"), loose=("name",)),
        Field(key="person", names=("contact",), loose=("name",)),
        Field(key="age", names=("age",)),
    ),
    required=("firm",),
    max_bytes=2 * 1024 * 1024,
    max_rows=3,
)


def positions(*headers: str, **mapping: str | None) -> dict[str, int]:
    return dict(columns_of(headers, LAYOUT, mapping).positions)


def refused(content: bytes, mapping: dict[str, str | None] | None = None) -> DomainError:
    with pytest.raises(DomainError) as caught:
        read_table(content, LAYOUT, mapping)
    return caught.value


@pytest.mark.parametrize(
    ("header", "key"),
    [("E-Mail", "email"), (" Job_Title ", "jobtitle"), ("STRASSE", "strasse"), ("%", "")],
)
def test_headers_are_met_without_case_blanks_and_punctuation(header: str, key: str) -> None:
    assert folded(header) == key


def test_a_loose_name_goes_to_whoever_has_no_better_one() -> None:
    assert positions("Name", "Age") == {"firm": 0, "age": 1}
    assert positions("Name", "Firm") == {"firm": 1, "person": 0}
    assert positions("Name", "Name") == {"firm": 0, "person": 1}


def test_a_mapping_goes_before_names_and_null_ignores_a_column() -> None:
    assert positions("Company", "Firma", firma="firm") == {"firm": 1}
    columns = columns_of(["Company", "Age", "Shoe"], LAYOUT, {"AGE": None})
    assert dict(columns.positions) == {"firm": 0}
    assert columns.unknown == ("Shoe",)


def test_columns_that_nothing_is_known_about_are_named() -> None:
    columns = columns_of(["Company", "Firm", "", " Shoe "], LAYOUT, {})
    assert columns.unknown == ("Firm", "Shoe")


@pytest.mark.parametrize(
    ("mapping", "location"),
    [
        ({"Nowhere": "firm"}, "form.mapping.Nowhere"),
        ({"Company": "shoe"}, "form.mapping.Company"),
        ({"Company": "firm", "Age": "firm"}, "form.mapping.Age"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(
    mapping: dict[str, str | None], location: str
) -> None:
    error = refused(b"Company,Age\nA,1\n", mapping)
    assert isinstance(error, Invalid)
    assert [item.location for item in error.items] == [location]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b" \n\n \n", "empty"),
        (b"A,1\nB,2\n", "no column for firm"),
        (b"%PDF-1.7", "PDF"),
        (b'Company\n"A', "never closed"),
        (b"Company" + b"," * 200, "columns"),
    ],
)
def test_a_file_that_is_no_table_is_refused_as_a_whole(content: bytes, message: str) -> None:
    error = refused(content)
    assert isinstance(error, Invalid)
    (item,) = error.items
    assert item.location == "form.file"
    assert message in item.message


@pytest.mark.parametrize(
    "content", [b"Company\n" + b"A\n" * 4, b"Company\n" + b"A" * 3 * 1024 * 1024]
)
def test_a_file_over_its_limits_is_too_large(content: bytes) -> None:
    error = refused(content)
    assert isinstance(error, PayloadTooLarge)
    assert [item.location for item in error.items] == ["form.file"]


def test_blank_rows_do_not_count_towards_the_limit() -> None:
    table = read_table(b"Company\n" + b"A\n\n,\n" * 3, LAYOUT)
    assert [number for number, _ in table.records] == [2, 5, 8]


def test_a_wrong_row_is_reported_cell_by_cell_and_the_rest_is_taken() -> None:
    def read(row: Row) -> tuple[str | None, int | None]:
        if row.cell("firm") is None:
            row.refuse("firm", "Needed")
        return row.cell("firm"), row.read("age", int)

    table = read_table(b"Company,Alter\n A ,7\n,old\nB\n", LAYOUT, {"Alter": "age"})
    rows, errors = read_rows(table, read)
    assert rows == [("A", 7), ("B", None)]
    assert [(one.row, one.column, one.value) for one in errors] == [
        (3, "Company", None), (3, "Alter", "old"),
    ]  # fmt: skip


def test_cells_beyond_the_header_are_reported_unless_they_are_blank() -> None:
    table = read_table(b"Company,Age\nA,1,,\nB,1,x\n", LAYOUT)
    rows, errors = read_rows(table, lambda row: row.cell("firm"))
    assert rows == ["A"]
    assert [(one.row, one.column) for one in errors] == [(3, None)]


def test_a_long_value_is_shown_in_part() -> None:
    row = Row(2, ["a" * 999], Columns(headers=("Firm",), positions={"firm": 0}, unknown=()))
    row.refuse("firm", "Too long")
    assert row.errors[0].value == "a" * 200


@pytest.mark.parametrize(
    ("text", "value"), [("Yes", True), ("x", True), ("0", False), ("NO", False)]
)
def test_a_flag_is_read_as_people_write_it(text: str, value: bool) -> None:
    assert flag(text) is value


def test_what_is_neither_yes_nor_no_is_no_flag() -> None:
    with pytest.raises(ValueError, match="yes or no"):
        flag("perhaps")
