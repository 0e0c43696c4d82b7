"""What platforms say is shown to people, without what must not be."""

import pytest

from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    QuotaExhausted,
    RequestRefused,
    from_status,
    safe,
)


@pytest.mark.parametrize(
    "text",
    [
        "The token s3cr3t-value is wrong",
        "access_token=s3cr3tAB&x=1 failed",
        'body {"refresh_token": "s3cr3tAB"}',
        "Authorization: Bearer s3cr3tAB",
        "client_secret: s3cr3tAB",
        "sent ya29.s3cr3tAB-x",
        "sent EAABs3cr3tABs3cr3tAB",
        "sent 1//0gs3cr3tAB",
        "sent pk_s3cr3tABCDEF",
        "sent shpat_s3cr3tABCDEF",
    ],
)
def test_secrets_are_hidden(text: str) -> None:
    assert "s3cr3t" not in safe(text, ["s3cr3t-value"])


def test_the_rest_is_kept_on_one_line_and_cut() -> None:
    said = safe("Customer 123 is\nnot enabled. " * 40)
    assert said.startswith("Customer 123 is not enabled.")
    assert len(said) == 300


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RequestRefused),
        (401, CredentialsRejected),
        (404, RequestRefused),
        (408, PlatformBusy),
        (429, QuotaExhausted),
        (500, PlatformBusy),
        (529, PlatformBusy),
    ],
)
def test_a_status_alone_says_what_comes_next(status: int, kind: type) -> None:
    error = from_status("Vendor", status, "", {"retry-after": "7"})
    assert type(error) is kind
    if kind in (PlatformBusy, QuotaExhausted):
        assert error.retry_after == 7
