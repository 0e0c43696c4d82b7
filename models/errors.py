"""What can go wrong, by the codes of the API: raised anywhere, answered in one place.

A `DomainError` is a decision, not an accident: the interceptor turns it into a non-retryable
`ApplicationError`, `api/http/problems.py` into `application/problem+json`. Vendor time-outs stay
ordinary exceptions, so that Temporal retries them.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar


class ErrorCode(StrEnum):
    """The codes of the contract; `STATUS` has the HTTP status of each."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    UNPROCESSABLE = "UNPROCESSABLE"
    RATE_LIMITED = "RATE_LIMITED"
    UPSTREAM_FAILED = "UPSTREAM_FAILED"
    UNAVAILABLE = "UNAVAILABLE"


STATUS: dict[ErrorCode, int] = {
    ErrorCode.VALIDATION_ERROR: 400,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.CONFLICT: 409,
    ErrorCode.PAYLOAD_TOO_LARGE: 413,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ErrorCode.UNPROCESSABLE: 422,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.UPSTREAM_FAILED: 502,
    ErrorCode.UNAVAILABLE: 503,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemItem:
    """One field that is wrong: `location` is body.<path>, query.<name>, path.<name> and so on."""

    location: str
    message: str
    value: Any = None


class DomainError(Exception):
    """A refusal with a code, a sentence for the caller, and the fields it concerns."""

    code: ClassVar[ErrorCode] = ErrorCode.UNPROCESSABLE

    def __init__(self, detail: str, *items: ProblemItem, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.items = items
        self.retry_after = retry_after

    def details(self) -> dict[str, Any]:
        """What crosses Temporal beside the message; `from_details` reads it back."""
        return {"items": [asdict(item) for item in self.items], "retry_after": self.retry_after}


class Invalid(DomainError):
    """A value that does not validate."""

    code = ErrorCode.VALIDATION_ERROR


class Unauthenticated(DomainError):
    """No token, or none that this deployment accepts."""

    code = ErrorCode.UNAUTHENTICATED


class Forbidden(DomainError):
    """The role or the application does not allow the call."""

    code = ErrorCode.FORBIDDEN


class NotFound(DomainError):
    """There is no such thing in this tenant."""

    code = ErrorCode.NOT_FOUND


class Conflict(DomainError):
    """The thing is in a state that does not allow the call."""

    code = ErrorCode.CONFLICT


class PayloadTooLarge(DomainError):
    """A body or a file is over its limit."""

    code = ErrorCode.PAYLOAD_TOO_LARGE


class UnsupportedMediaType(DomainError):
    """The content type is not accepted here."""

    code = ErrorCode.UNSUPPORTED_MEDIA_TYPE


class Unprocessable(DomainError):
    """Well formed, but it cannot be carried out as it stands."""

    code = ErrorCode.UNPROCESSABLE


class RateLimited(DomainError):
    """Too many calls; `retry_after` says when to come back."""

    code = ErrorCode.RATE_LIMITED


class UpstreamFailed(DomainError):
    """A vendor did not answer properly."""

    code = ErrorCode.UPSTREAM_FAILED


class Unavailable(DomainError):
    """PostgreSQL, Temporal or a needed configuration is not there."""

    code = ErrorCode.UNAVAILABLE


BY_CODE: dict[str, type[DomainError]] = {
    kind.code: kind
    for kind in (
        Invalid, Unauthenticated, Forbidden, NotFound, Conflict, PayloadTooLarge,
        UnsupportedMediaType, Unprocessable, RateLimited, UpstreamFailed, Unavailable,
    )
}  # fmt: skip


def from_details(code: str, detail: str, details: dict[str, Any]) -> DomainError:
    """Rebuild the error that crossed Temporal as an `ApplicationError` of type `code`."""
    items = [ProblemItem(**item) for item in details.get("items", [])]
    return BY_CODE[code](detail, *items, retry_after=details.get("retry_after"))
