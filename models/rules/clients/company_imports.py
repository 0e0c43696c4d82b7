"""Importing companies with their contacts: the columns of the file, and what becomes of its rows.

A company is known by its name, as PostgreSQL folds it; a contact within its company by the e-mail
address, or else by the name. Blank cells change nothing. So the same file, imported twice, changes
nothing the second time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from models.rules.clients import companies
from models.rules.imports import Field, Layout, Row, RowError, flag

LAYOUT: Final = Layout(
    fields=(
        Field(
            key="name",
            names=(
                "company", "companyname", "account", "accountname", "organisation",
                "organization", "organisationname", "organizationname", "client", "clientname",
                "customer", "customername", "business", "businessname",
            ),
            loose=("name",),
        ),
        Field(
            key="website",
            names=(
                "website", "websiteurl", "web", "url", "domain", "domainname", "homepage",
                "companywebsite", "companydomain", "companyurl", "companydomainname",
            ),
        ),
        Field(
            key="parent",
            names=(
                "parent", "parentcompany", "parentaccount", "parentname", "parentcompanyname",
                "parentorganisation", "parentorganization",
            ),
            loose=("group",),
        ),
        Field(
            key="contact_name",
            names=("contact", "contactname", "contactperson", "fullname", "person"),
            loose=("name",),
        ),
        Field(key="first_name", names=("firstname", "givenname", "forename", "contactfirstname")),
        Field(key="last_name", names=("lastname", "surname", "familyname", "contactlastname")),
        Field(
            key="email",
            names=("email", "emailaddress", "contactemail", "workemail", "email1", "mail"),
        ),
        Field(
            key="phone",
            names=("phone", "phonenumber", "telephone", "tel", "contactphone", "workphone"),
            loose=("mobile", "mobilephone", "cell"),
        ),
        Field(
            key="title",
            names=("title", "jobtitle", "contacttitle", "position"),
            loose=("role", "function"),
        ),
        Field(key="primary", names=("primary", "isprimary", "primarycontact", "maincontact")),
    ),
    required=("name",),
    max_bytes=5 * 1024 * 1024,
    max_rows=10_000,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCells:
    """The contact of a row; what was left blank is None."""

    name: str | None
    email: str | None
    phone: str | None
    title: str | None
    is_primary: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyCells:
    """A row that can be read; what was left blank is None."""

    row: Row
    name: str
    website: str | None
    parent: str | None
    contact: ContactCells | None


def company_cells(row: Row) -> CompanyCells:
    """Read one row; what is wrong with it is reported to the row."""
    name = row.read("name", companies.company_name)
    if row.cell("name") is None:
        row.refuse("name", "A company needs a name")
    return CompanyCells(
        row=row,
        name=name or "",
        website=row.read("website", companies.website),
        parent=row.read("parent", companies.company_name),
        contact=_contact_cells(row),
    )


def _contact_cells(row: Row) -> ContactCells | None:
    cells = ContactCells(
        name=_contact_name(row),
        email=row.read("email", companies.email),
        phone=row.read("phone", companies.phone),
        title=row.read("title", companies.title),
        is_primary=row.read("primary", flag),
    )
    if cells.name is not None or cells.email is not None:
        return cells
    for detail in ("phone", "title"):
        if row.cell(detail) is not None and not row.errors:
            row.refuse(detail, "A contact needs a name or an e-mail address")
    return None


def _contact_name(row: Row) -> str | None:
    if (name := row.read("contact_name", companies.contact_name)) is not None:
        return name
    parts = [part for key in ("first_name", "last_name") if (part := row.cell(key))]
    if not parts:
        return None
    try:
        return companies.contact_name(" ".join(parts))
    except ValueError as wrong:
        row.refuse("last_name", str(wrong))
        return None


# --- What becomes of the rows -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFacts:
    """A contact as it is stored."""

    name: str
    email: str | None
    phone: str | None
    title: str | None
    is_primary: bool


@dataclass(slots=True, kw_only=True)
class ContactDraft:
    """A contact as it will be, and as it was if there was one."""

    id: str
    facts: ContactFacts
    stored: ContactFacts | None = None
    is_archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyFacts:
    """A company as it is stored."""

    name: str
    website: str | None
    parent_id: str | None


@dataclass(slots=True, kw_only=True)
class CompanyDraft:
    """A company as it will be, with its contacts, oldest first; `is_named` by a row of its own."""

    id: str
    facts: CompanyFacts
    stored: CompanyFacts | None = None
    is_client: bool = False
    is_parent: bool = False
    is_named: bool = False
    contacts: list[ContactDraft] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Merge:
    """Rows on their way into what is stored.

    `drafts` holds the stored companies by the key of their name, and takes up the new ones; `keys`
    has the key of every name that occurs in a row.
    """

    drafts: dict[str, CompanyDraft]
    keys: Mapping[str, str]
    mint: Callable[[], str]
    errors: list[RowError] = field(default_factory=list)

    def take(self, rows: Iterable[CompanyCells]) -> None:
        """Merge the rows, in their order; those that cannot be are reported."""
        contacts: dict[str, list[ContactCells]] = {}
        for cells in rows:
            if not self._join_group(cells):
                self.errors.extend(cells.row.errors)
                continue
            key = self.keys[cells.name]
            draft = self._draft(cells.name)
            draft.is_named = True
            if cells.website is not None:
                draft.facts = replace(draft.facts, website=cells.website)
            if cells.contact is not None:
                contacts.setdefault(key, []).append(cells.contact)
        for key, of_company in contacts.items():
            _merge_contacts(self.drafts[key], of_company, self.mint)

    def _draft(self, name: str) -> CompanyDraft:
        key = self.keys[name]
        draft = self.drafts.get(key)
        if draft is None:
            facts = CompanyFacts(name=name, website=None, parent_id=None)
            draft = self.drafts[key] = CompanyDraft(id=self.mint(), facts=facts)
        return draft

    def _join_group(self, cells: CompanyCells) -> bool:
        """Put the company under its parent, which is made if need be; tell whether it can be.

        A file never moves a company out of a group. If it could, whether another row fits would
        depend on what came before it, and a second import would change more.
        """
        if cells.parent is None:
            return True
        company = self.drafts.get(self.keys[cells.name])
        parent = self.drafts.get(self.keys[cells.parent])
        present = company.facts.parent_id if company else None
        if parent is not None and present == parent.id:
            return True
        if self.keys[cells.name] == self.keys[cells.parent]:
            cells.row.refuse("parent", "A company cannot be its own parent")
        elif present is not None:
            cells.row.refuse("parent", "The company has another parent already")
        elif company is not None and company.is_parent:
            cells.row.refuse("parent", "The company is a parent itself; groups are one level deep")
        elif parent is not None and parent.facts.parent_id is not None:
            cells.row.refuse("parent", "This parent has a parent itself; groups are one level deep")
        if cells.row.errors:
            return False
        parent = self._draft(cells.parent)
        parent.is_parent = True
        company = self._draft(cells.name)
        company.facts = replace(company.facts, parent_id=parent.id)
        return True


def _merge_contacts(
    company: CompanyDraft, rows: Sequence[ContactCells], mint: Callable[[], str]
) -> None:
    """Take the contacts of a company's rows, those with an address before those without.

    A row without an address finds its contact by name also where that name has come with an
    address in a later row; otherwise a second import would find somebody else.
    """
    by_email = {
        one.facts.email.lower(): one for one in reversed(company.contacts) if one.facts.email
    }
    nameless = {
        _name_key(one.facts.name): one for one in reversed(company.contacts) if not one.facts.email
    }
    places: dict[int, ContactDraft] = {}
    for place, cells in enumerate(rows):
        if cells.email is None:
            continue
        draft = by_email.get(cells.email)
        if draft is None and cells.name is not None:
            draft = nameless.pop(_name_key(cells.name), None)
        if draft is None:
            draft = _new_contact(company, cells, mint)
        by_email[cells.email] = places[place] = _told(draft, cells)
    by_name = {_name_key(one.facts.name): one for one in reversed(company.contacts)}
    for place, cells in enumerate(rows):
        if cells.email is None and cells.name is not None:
            draft = by_name.get(_name_key(cells.name)) or _new_contact(company, cells, mint)
            by_name[_name_key(cells.name)] = places[place] = _told(draft, replace(cells, name=None))
    _choose_primary(company, [(places[place], cells) for place, cells in enumerate(rows)])


def _new_contact(
    company: CompanyDraft, cells: ContactCells, mint: Callable[[], str]
) -> ContactDraft:
    name = cells.name or cells.email or ""
    facts = ContactFacts(name=name, email=None, phone=None, title=None, is_primary=False)
    draft = ContactDraft(id=mint(), facts=facts)
    company.contacts.append(draft)
    return draft


def _told(draft: ContactDraft, cells: ContactCells) -> ContactDraft:
    """The contact with what the row says of it."""
    said = {
        name: value
        for name in ("name", "email", "phone", "title")
        if (value := getattr(cells, name)) is not None
    }
    draft.facts = replace(draft.facts, **said)
    return draft


def _choose_primary(
    company: CompanyDraft, rows: Sequence[tuple[ContactDraft, ContactCells]]
) -> None:
    """Make the contact primary that the last row wants so; at most one is, and none archived."""
    chosen = next((one for one in company.contacts if one.facts.is_primary), None)
    for draft, cells in rows:
        if cells.is_primary and not draft.is_archived:
            chosen = draft
        elif cells.is_primary is False and draft is chosen:
            chosen = None
    for one in company.contacts:
        one.facts = replace(one.facts, is_primary=one is chosen)


def _name_key(name: str) -> str:
    return " ".join(name.split()).casefold()
