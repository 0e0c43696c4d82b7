"""What can go wrong with a platform, in the four ways that lead to different next steps.

Messages are shown to people and stored: they never hold a secret, and no cause is attached to
them, for causes are recorded.
"""

import re
from collections.abc import Iterable, Mapping

from activities.retry_after import retry_after
from models.rules.text import storable

_LONGEST = 300
_SHORTEST_SECRET = 4
_HIDDEN = "[hidden]"
# Vendors repeat what they refuse, sometimes in another writing than ours: by name, and by looks.
_HEADER = re.compile(r"(?i)\b(bearer|basic|oauth)\s+[^\s\"',;]{6,}")
_NAMED = re.compile(
    r"(?i)\b(access_token|refresh_token|client_secret|developer[-_]token|api[-_]key|password"
    r"|private_key)(\"?\s*[=:]\s*\"?)[^\s\"'&,;]+"
)
_LOOKS = re.compile(
    r"\b(?:EAA[A-Za-z0-9]{8,}|ya29\.[\w.-]+|1//[\w-]{8,}|shp(?:at|ss|ca|pa)_\w+|pk_\w{6,}"
    r"|[0-9a-f]{32}-[a-z]{2}\d+|eyJ[\w-]+\.[\w-]+\.[\w-]*|[A-Za-z0-9_-]{60,})"
)


class PlatformError(Exception):
    """Something went wrong with a platform; the message may be shown."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds that the platform asks us to stay away, where it says."""


class CredentialsRejected(PlatformError):
    """The platform does not accept the credentials, or not for this account: never try again."""


class QuotaExhausted(PlatformError):
    """We asked more than we may: the connection rests for `retry_after`, then goes on."""


class PlatformBusy(PlatformError):
    """The platform cannot answer now (5xx, time-out, no JSON, a cut page): worth another try."""


class RequestRefused(PlatformError):
    """The platform will not answer this request however often it is sent (any other 4xx)."""


def safe(message: str, secrets: Iterable[str] = ()) -> str:
    """Hide the secrets given and whatever looks like one, put it on one line and cut it."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            message = message.replace(secret, _HIDDEN)
    message = _HEADER.sub(rf"\1 {_HIDDEN}", message)
    message = _NAMED.sub(rf"\1\2{_HIDDEN}", message)
    return " ".join(storable(_LOOKS.sub(_HIDDEN, message)).split())[:_LONGEST]


def from_status(
    vendor: str, status: int, said: str, headers: Mapping[str, str], secrets: Iterable[str] = ()
) -> PlatformError:
    """Sort an error answer by its status alone, for what a vendor's own codes do not tell."""
    text = f"{vendor} ({status}): {safe(said, secrets) or 'no reason was given.'}"
    if status == 401:
        return CredentialsRejected(text)
    if status == 429:
        return QuotaExhausted(text, retry_after=retry_after(headers))
    if status in (408, 425) or status >= 500:
        return PlatformBusy(text, retry_after=retry_after(headers))
    return RequestRefused(text)
