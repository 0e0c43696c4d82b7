"""Credentials against the registry, before a platform is asked whether they work.

Source: clients/connections.yaml, rules.credentials, and clients/platforms.yaml. What is wrong is
told by the name of the credential; its value is told to nobody.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from models.errors import Invalid, ProblemItem, Unavailable
from models.rules.platforms.registry import (
    PLATFORMS,
    CredentialField,
    CredentialType,
    Platform,
    PlatformId,
)

_LONGEST: Final = 20_000
"""Characters: a service account's key has some 2,400."""
_LIKE_A_KEY: Final = re.compile("[a-z][a-z_]{0,29}")
_UNKNOWN_NAMED: Final = 10
"""How many unknown credentials are named; nobody mistypes more."""


def checked(
    platform: Platform, given: Mapping[str, Any], settings: Iterable[str]
) -> Mapping[str, str]:
    """The credentials without what was left empty.

    Raises:
        Invalid: one is unknown, missing or malformed, each named as body.credentials.<key>.
        Unavailable: they need application settings that this deployment does not have.
    """
    wrong = list(_wrong(platform, given))
    if wrong:
        raise Invalid("The credentials are not those of the platform.", *wrong)
    kept = {key: value for key, value in given.items() if value not in (None, "")}
    alone = platform.needs_app_settings
    if (alone is None or alone in kept) and not set(platform.app_settings) <= set(settings):
        raise Unavailable(f"This deployment is not set up for {platform.display_name}.")
    return kept


def account_id(platform: Platform, credentials: Mapping[str, str]) -> str | None:
    """The account that the credentials name, written as the platform itself does."""
    if platform.account_id_from is None:
        return None
    named = credentials[platform.account_id_from]
    if platform.account_id_from == "customer_id":
        return named.replace("-", "")
    return named.removeprefix("act_")


def secrets_of(platform: PlatformId, credentials: Mapping[str, str]) -> tuple[str, ...]:
    """The credentials that must be nowhere but on the wire, and what of a document is secret."""
    secret = [field for field in PLATFORMS[platform].credentials if field.secret]
    given = [(field, credentials[field.key]) for field in secret if credentials.get(field.key)]
    keys = [_private_key(value) for field, value in given if field.type is CredentialType.JSON]
    return (*(value for _, value in given), *filter(None, keys))


def _private_key(document: str) -> str:
    try:
        return str(json.loads(document)["private_key"])
    except (KeyError, RecursionError, TypeError, ValueError):
        return ""


def _wrong(platform: Platform, given: Mapping[str, Any]) -> Iterator[ProblemItem]:
    fields = {field.key: field for field in platform.credentials}
    unknown = [key for key in given if key not in fields]
    for key in unknown[:_UNKNOWN_NAMED]:
        yield _unknown(platform, key)
    for key, field in fields.items():
        why = _fault(field, given.get(key))
        if why is not None:
            yield _item(key, why)
    for group in platform.one_of:
        if not any(given.get(key) for key in group):
            yield ProblemItem(
                location="body.credentials", message=f"One of {', '.join(group)} is needed."
            )


def _fault(field: CredentialField, value: Any) -> str | None:
    if value is None or value == "":
        return f"{field.label} is needed." if field.required else None
    if not isinstance(value, str) or len(value) > _LONGEST or value != value.strip():
        return f"{field.label} is text without blanks around it."
    if not _is_written_like(field, value):
        return f"{field.label} does not look like one."
    if field.type is CredentialType.JSON and not _is_object(value):
        return f"{field.label} is a JSON document."
    return None


def _is_written_like(field: CredentialField, value: str) -> bool:
    if field.type is CredentialType.JSON:
        return True
    if field.secret and not re.fullmatch("[!-~]+", value):
        return False  # Tokens travel in headers, which carry nothing else.
    return value.isprintable() and re.fullmatch(field.pattern or ".*", value) is not None


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (RecursionError, ValueError):
        return False


def _unknown(platform: Platform, key: str) -> ProblemItem:
    """An unknown credential by its name, unless that may be a value in the wrong place."""
    message = f"{platform.display_name} has no such credential."
    if _LIKE_A_KEY.fullmatch(key):
        return _item(key, message)
    return ProblemItem(location="body.credentials", message=message)


def _item(key: str, message: str) -> ProblemItem:
    return ProblemItem(location=f"body.credentials.{key}", message=message)
