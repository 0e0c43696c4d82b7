"""What is written of companies and their contacts, one spelling for each thing.

Each rule takes the text as somebody has typed it and raises ValueError for what it does not take.
"""

import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

NAME_CHARACTERS: Final = 200
CONTACT_NAME_CHARACTERS: Final = 200
PHONE_CHARACTERS: Final = 50
TITLE_CHARACTERS: Final = 200
_WEBSITE_CHARACTERS: Final = 2000
_EMAIL_CHARACTERS: Final = 254
_MAILBOX_CHARACTERS: Final = 64

_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LABEL = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
_MAILBOX = re.compile(r"^[^\s@\"(),:;<>\[\]\\]+$")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def one_line(text: str, longest: int) -> str:
    """The text in one line, without blanks around it; not blank, and no longer than that."""
    line = " ".join(text.split())
    if not line:
        raise ValueError("Should not be blank")
    if len(line) > longest:
        raise ValueError(f"Should have at most {longest} characters")
    return line


def company_name(text: str) -> str:
    """The name of a company."""
    return one_line(text, NAME_CHARACTERS)


def contact_name(text: str) -> str:
    """The name of a person."""
    return one_line(text, CONTACT_NAME_CHARACTERS)


def phone(text: str) -> str:
    """A telephone number, written as people like to."""
    return one_line(text, PHONE_CHARACTERS)


def title(text: str) -> str:
    """What a person is in the company."""
    return one_line(text, TITLE_CHARACTERS)


def email(text: str) -> str:
    """An e-mail address in lower case, by which people are told from one another."""
    address = text.strip().lower()
    mailbox, at, domain = address.rpartition("@")
    if (
        not at
        or len(address) > _EMAIL_CHARACTERS
        or len(mailbox) > _MAILBOX_CHARACTERS
        or not _MAILBOX.match(mailbox)
        or not _is_host(domain)
    ):
        raise ValueError("Should be an e-mail address")
    return address


def website(text: str) -> str:
    """The address of a website, of which a bare domain is enough: https, host in lower case."""
    typed = text.strip()
    wrong = ValueError("Should be the address of a website, or a domain")
    if len(typed) > _WEBSITE_CHARACTERS or re.search(r"\s", typed):
        raise wrong
    try:
        parts = urlsplit(typed if _SCHEME.match(typed) else f"https://{typed}")
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise wrong from error
    if parts.scheme not in _DEFAULT_PORTS or "@" in parts.netloc or not _is_host(host):
        raise wrong
    place = host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    path = "" if parts.path == "/" and not parts.query else parts.path
    return urlunsplit((parts.scheme, place, path, parts.query, ""))


def _is_host(name: str) -> bool:
    """Tell whether this is a name of the public DNS: two labels at least, the last no number."""
    try:
        labels = name.encode("idna").decode("ascii").lower().split(".")
    except UnicodeError:
        return False
    whole = len(labels) > 1 and sum(map(len, labels)) + len(labels) <= 254
    return whole and all(map(_LABEL.match, labels)) and not labels[-1].isdigit()
