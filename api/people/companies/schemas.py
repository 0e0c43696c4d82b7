"""Companies and their contacts on the wire."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from api.http.bodies import Omissible, SnakePatch, left_out
from api.http.rows import writer
from api.http.wire import Flag, Second, Snake
from models.queries.people.companies import CompanyRow
from models.queries.people.contacts import ContactRow
from models.rules.clients import companies as rules

_MOST_CONTACTS: Final = 50


def _by(rule: Callable[[str], str]) -> AfterValidator:
    """Check a text by a rule, which may also write it in another way."""

    def check(text: str) -> str:
        try:
            return rule(text)
        except ValueError as wrong:
            raise PydanticCustomError("text", "{why}", {"why": str(wrong)}) from wrong

    return AfterValidator(check)


CompanyName = Annotated[
    str, Field(min_length=1, max_length=rules.NAME_CHARACTERS), _by(rules.company_name)
]
Website = Annotated[
    str,
    Field(description="An http(s) URL or a bare domain, of which https is made."),
    _by(rules.website),
]
ContactName = Annotated[
    str, Field(min_length=1, max_length=rules.CONTACT_NAME_CHARACTERS), _by(rules.contact_name)
]
Email = Annotated[str, Field(description="Kept in lower case."), _by(rules.email)]
Phone = Annotated[str, Field(min_length=1, max_length=rules.PHONE_CHARACTERS), _by(rules.phone)]
Title = Annotated[str, Field(min_length=1, max_length=rules.TITLE_CHARACTERS), _by(rules.title)]

_ID: Final = "01K9CMP0000000000000000001"
_CONTACT: Final[dict[str, Any]] = {
    "id": "01K9CNT0000000000000000001",
    "company_id": _ID,
    "name": "Ines Vogt",
    "email": "ines.vogt@northwind.example",
    "phone": "+49 30 5550100",
    "title": "Head of Marketing",
    "is_primary": True,
    "archived": False,
    "last_interaction_at": None,
    "created_at": "2026-03-02T09:14:12Z",
    "updated_at": "2026-03-02T09:14:12Z",
}
_COMPANY: Final[dict[str, Any]] = {
    "id": _ID,
    "name": "Northwind Traders",
    "website": "https://northwind.example",
    "parent_company_id": None,
    "is_client": False,
    "contacts_count": 1,
    "created_at": "2026-03-02T09:14:12Z",
    "updated_at": "2026-03-02T09:14:12Z",
}


def _shows(*examples: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": list(examples)})


class ContactOut(Snake):
    """A person of a company."""

    model_config = _shows(_CONTACT)

    id: str
    company_id: str
    name: str
    email: str | None
    phone: str | None
    title: str | None
    is_primary: bool
    archived: bool
    last_interaction_at: Second | None
    created_at: Second
    updated_at: Second


class CompanyListItemOut(Snake):
    """A company in the list."""

    model_config = _shows(_COMPANY)

    id: str
    name: str
    website: str | None
    parent_company_id: str | None
    is_client: bool
    contacts_count: int = Field(description="Those that are not archived.")
    created_at: Second
    updated_at: Second


class CompanyOut(CompanyListItemOut):
    """A company with its contacts that are not archived, the first hundred."""

    model_config = _shows({**_COMPANY, "contacts": [_CONTACT]})

    contacts: list[ContactOut]


class CompanyAnswer(Snake):
    """One company."""

    model_config = _shows({"company": {**_COMPANY, "contacts": [_CONTACT]}})

    company: CompanyOut

    @classmethod
    def of(cls, company: CompanyRow, contacts: Sequence[ContactRow]) -> Self:
        listed = [ContactOut.model_validate(contact) for contact in contacts]
        return cls(company=CompanyOut(**company._asdict(), contacts=listed))


class ContactAnswer(Snake):
    """One contact."""

    model_config = _shows({"contact": _CONTACT})

    contact: ContactOut


class CompanyListOut(Snake):
    """A page of companies."""

    model_config = _shows({"companies": [_COMPANY], "total": 1, "page": 1, "pages": 1})

    companies: list[CompanyListItemOut]
    total: int
    page: int
    pages: int


class ContactListOut(Snake):
    """A page of contacts."""

    model_config = _shows({"contacts": [_CONTACT], "total": 1, "page": 1, "pages": 1})

    contacts: list[ContactOut]
    total: int
    page: int
    pages: int


class ContactIn(Snake):
    """A contact to be made."""

    model_config = _shows({"name": "Ines Vogt", "email": "ines.vogt@northwind.example"})

    name: ContactName
    email: Email | None = None
    phone: Phone | None = None
    title: Title | None = None
    is_primary: Flag = False


class CompanyIn(Snake):
    """A company to be made, with its first contacts."""

    model_config = _shows(
        {
            "name": "Northwind Traders",
            "website": "northwind.example",
            "contacts": [{"name": "Ines Vogt", "title": "Head of Marketing", "is_primary": True}],
        }
    )

    name: CompanyName
    website: Website | None = None
    parent_company_id: str | None = None
    contacts: list[ContactIn] = Field(default_factory=list, max_length=_MOST_CONTACTS)

    @field_validator("contacts")
    @classmethod
    def _are_different(cls, contacts: list[ContactIn]) -> list[ContactIn]:
        emails = [contact.email for contact in contacts if contact.email is not None]
        if len(set(emails)) < len(emails):
            raise PydanticCustomError("twice", "Two contacts have the same e-mail address")
        if sum(contact.is_primary for contact in contacts) > 1:
            raise PydanticCustomError("primaries", "Only one contact can be the primary one")
        return contacts


class CompanyPatch(SnakePatch):
    """What can be changed of a company."""

    model_config = _shows({"website": "https://northwind.example", "parent_company_id": None})

    name: Omissible[CompanyName] = Field(default_factory=left_out)
    website: Website | None = Field(default_factory=left_out)
    parent_company_id: str | None = Field(
        default_factory=left_out, description="Null takes the company out of its group."
    )


class ContactPatch(SnakePatch):
    """What can be changed of a contact."""

    model_config = _shows({"is_primary": True}, {"archived": True})

    name: Omissible[ContactName] = Field(default_factory=left_out)
    email: Email | None = Field(default_factory=left_out)
    phone: Phone | None = Field(default_factory=left_out)
    title: Title | None = Field(default_factory=left_out)
    is_primary: Omissible[Flag] = Field(
        default_factory=left_out, description="Making one primary unmakes the other."
    )
    archived: Omissible[Flag] = Field(
        default_factory=left_out, description="One that is archived is not the primary one."
    )


class RowErrorOut(Snake):
    """What is wrong in a row, which was skipped."""

    model_config = _shows(
        {"row": 7, "column": "E-mail", "message": "Should be an e-mail address", "value": "ines"}
    )

    row: int = Field(description="As a spreadsheet counts: the header is row 1.")
    column: str | None = Field(description="The header; null where the whole row is meant.")
    message: str
    value: str | None


class ImportOut(Snake):
    """What came of an import, or would come of it in a dry run."""

    model_config = _shows(
        {
            "companies_created": 2,
            "companies_updated": 1,
            "contacts_created": 4,
            "contacts_updated": 0,
            "clients_created": 2,
            "rows": 6,
            "skipped": 1,
            "errors": [
                {
                    "row": 7,
                    "column": "E-mail",
                    "message": "Should be an e-mail address",
                    "value": "ines",
                }
            ],
            "unknown_columns": ["Favourite colour"],
        }
    )

    companies_created: int
    companies_updated: int
    contacts_created: int
    contacts_updated: int
    clients_created: int = Field(description="Companies that were promoted.")
    rows: int = Field(description="Rows that are not blank, the skipped ones included.")
    skipped: int
    errors: list[RowErrorOut]
    unknown_columns: list[str]


write_company = writer(CompanyListItemOut)
write_contact = writer(ContactOut)
