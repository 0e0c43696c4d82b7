"""What becomes of the rows of a company import."""

from collections.abc import Sequence
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from models.rules.clients.company_imports import (
    LAYOUT,
    CompanyDraft,
    ContactDraft,
    Merge,
    company_cells,
)
from models.rules.imports import RowError, read_rows, read_table

HEADER = ("Company", "Website", "Parent", "Contact", "E-mail", "Phone", "Title", "Primary")
IDS = count()


def merged(
    rows: Sequence[Sequence[str]], drafts: dict[str, CompanyDraft] | None = None
) -> tuple[dict[str, CompanyDraft], list[RowError]]:
    """The stored companies after an import, and what was wrong; ids tell the order of making."""
    text = "\n".join(",".join(row) for row in (HEADER, *rows))
    cells, errors = read_rows(read_table(text.encode(), LAYOUT), company_cells)
    names = {one.name for one in cells} | {one.parent for one in cells if one.parent}
    merge = Merge(
        drafts=drafts or {},
        keys={name: name.lower() for name in names},
        mint=lambda: f"{next(IDS):08}",
    )
    merge.take(cells)
    return merge.drafts, [*errors, *merge.errors]


def stored(drafts: dict[str, CompanyDraft]) -> dict[str, CompanyDraft]:
    """The drafts as a later import finds them."""
    parents = {draft.facts.parent_id for draft in drafts.values()}
    return {
        key: CompanyDraft(
            id=draft.id,
            facts=draft.facts,
            stored=draft.facts,
            is_parent=draft.id in parents,
            contacts=[
                ContactDraft(id=one.id, facts=one.facts, stored=one.facts)
                for one in sorted(draft.contacts, key=lambda one: one.id)
            ],
        )
        for key, draft in drafts.items()
    }


def changes(drafts: dict[str, CompanyDraft]) -> list[str]:
    contacts = [one for draft in drafts.values() for one in draft.contacts]
    return [
        *(draft.id for draft in drafts.values() if draft.stored != draft.facts),
        *(one.id for one in contacts if one.stored != one.facts),
    ]


def people(drafts: dict[str, CompanyDraft], key: str) -> list[tuple[str, str | None, bool]]:
    return [(one.facts.name, one.facts.email, one.facts.is_primary) for one in drafts[key].contacts]


NAMES = st.sampled_from(["", "A", "a", "B", "C", "D"])
ROWS = st.lists(
    st.tuples(
        NAMES,
        st.sampled_from(["", "", "a.com", "b.com", "wrong"]),
        NAMES,
        st.sampled_from(["", "Bo", "bo", "Cy", "Di"]),
        st.sampled_from(["", "", "x@a.com", "X@a.com", "y@a.com", "z@a.com", "wrong"]),
        st.sampled_from(["", "1", "2"]),
        st.sampled_from(["", "CFO", "CMO"]),
        st.sampled_from(["", "", "yes", "no", "perhaps"]),
    ),
    max_size=12,
)


@given(ROWS, ROWS)
def test_importing_a_file_twice_changes_nothing_the_second_time(
    before: list[tuple[str, ...]], rows: list[tuple[str, ...]]
) -> None:
    there, _ = merged(before)
    once, _ = merged(rows, stored(there))
    twice, _ = merged(rows, stored(once))
    assert changes(twice) == []


@given(ROWS, ROWS)
def test_whatever_is_imported_groups_stay_one_level_deep_with_one_primary_each(
    before: list[tuple[str, ...]], rows: list[tuple[str, ...]]
) -> None:
    there, _ = merged(before)
    after, _ = merged(rows, stored(there))
    parents = {draft.facts.parent_id for draft in after.values()}
    children = [draft for draft in after.values() if draft.facts.parent_id is not None]
    assert not [draft for draft in children if draft.id in parents]
    for draft in after.values():
        assert sum(one.facts.is_primary for one in draft.contacts) <= 1


def test_rows_of_one_company_add_contacts_to_it() -> None:
    drafts, errors = merged(
        [
            ("Acme", "acme.com", "", "Bo", "bo@acme.com", "", "", "yes"),
            ("ACME", "", "", "Cy", "", "", "", ""),
            ("acme", "acme.de", "", "", "di@acme.com", "", "", ""),
        ]
    )
    assert errors == []
    assert [(one.facts.name, one.facts.website) for one in drafts.values()] == [
        ("Acme", "https://acme.de")
    ]
    assert people(drafts, "acme") == [
        ("Bo", "bo@acme.com", True), ("di@acme.com", "di@acme.com", False), ("Cy", None, False),
    ]  # fmt: skip


def test_a_contact_without_an_address_gets_the_one_that_comes_with_the_name() -> None:
    there, _ = merged([("Acme", "", "", "Bo", "", "1", "", "")])
    drafts, _ = merged([("Acme", "", "", "BO", "bo@acme.com", "", "", "")], stored(there))
    assert people(drafts, "acme") == [("BO", "bo@acme.com", False)]
    assert drafts["acme"].contacts[0].facts.phone == "1"


def test_a_parent_is_made_if_need_be_and_a_file_moves_nobody() -> None:
    drafts, errors = merged(
        [
            ("Child", "", "Parent", "", "", "", "", ""),
            ("Child", "", "Other", "", "", "", "", ""),
            ("Parent", "", "Other", "", "", "", "", ""),
            ("Third", "", "Child", "", "", "", "", ""),
            ("Self", "", "SELF", "", "", "", "", ""),
            ("Child", "", "parent", "Bo", "", "", "", ""),
        ]
    )
    assert drafts["child"].facts.parent_id == drafts["parent"].id
    assert set(drafts) == {"child", "parent"}
    assert [(one.row, one.column, one.value) for one in errors] == [
        (3, "Parent", "Other"), (4, "Parent", "Other"), (5, "Parent", "Child"),
        (6, "Parent", "SELF"),
    ]  # fmt: skip
    assert people(drafts, "child") == [("Bo", None, False)]
    assert (drafts["child"].is_named, drafts["parent"].is_named) == (True, False)


def test_wrong_cells_are_reported_and_their_rows_left_out() -> None:
    drafts, errors = merged(
        [
            ("", "", "", "Bo", "", "", "", ""),
            ("A", "wrong", "", "Bo", "nobody", "", "", "perhaps"),
            ("B", "", "", "", "", "030 1", "", ""),
            ("C" * 201, "", "", "", "", "", "", ""),
        ]
    )
    assert drafts == {}
    assert [(one.row, one.column) for one in errors] == [
        (2, "Company"), (3, "Website"), (3, "E-mail"), (3, "Primary"), (4, "Phone"),
        (5, "Company"),
    ]  # fmt: skip


def test_a_name_may_come_in_two_columns() -> None:
    content = b"Company,First Name,Last Name\nAcme,Ines,Vogt\nAcme,,Berg\n"
    rows, _ = read_rows(read_table(content, LAYOUT), company_cells)
    assert [row.contact.name for row in rows if row.contact] == ["Ines Vogt", "Berg"]


def test_an_archived_contact_is_met_and_not_made_primary() -> None:
    there, _ = merged([("Acme", "", "", "Bo", "bo@acme.com", "", "", "")])
    known = stored(there)
    known["acme"].contacts[0].is_archived = True
    drafts, _ = merged([("Acme", "", "", "Bo", "bo@acme.com", "", "", "yes")], known)
    assert people(drafts, "acme") == [("Bo", "bo@acme.com", False)]
