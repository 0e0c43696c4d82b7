"""How companies and contacts are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.clients.companies import company_name, email, phone, website


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("acme.com", "https://acme.com"),
        (" HTTPS://Acme.COM/ ", "https://acme.com"),
        ("http://acme.com:80/a?b=C#d", "http://acme.com/a?b=C"),
        ("acme.com:8443/Shop/", "https://acme.com:8443/Shop/"),
        ("müller.de", "https://müller.de"),
    ],
)
def test_a_website_has_one_spelling(typed: str, kept: str) -> None:
    assert website(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "", "acme", "ftp://acme.com", "javascript:alert(1)", "mailto:a@acme.com", "a b.com",
        "10.0.0.1", "http://[::1]/", "http://me:secret@acme.com", "acme.com:99999", "a..com",
        "-a.com", "//acme.com", "a.com" + "/a" * 1000,
    ],
)  # fmt: skip
def test_what_is_no_website_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="website"):
        website(typed)


@given(st.text(max_size=40))
def test_a_kept_website_is_kept_as_it_is(typed: str) -> None:
    try:
        kept = website(f"{typed}.com")
    except ValueError:
        return
    assert website(kept) == kept


@pytest.mark.parametrize("typed", ["Bo@Acme.COM", " bo@acme.com "])
def test_an_address_is_kept_in_lower_case(typed: str) -> None:
    assert email(typed) == "bo@acme.com"


@pytest.mark.parametrize(
    "typed", ["", "bo", "@acme.com", "bo@acme", "b o@acme.com", "a@b@c.com", "a" * 65 + "@b.de"]
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="e-mail"):
        email(typed)


def test_names_are_one_line_of_a_bounded_length() -> None:
    assert company_name(" A \n B\t") == "A B"
    with pytest.raises(ValueError, match="blank"):
        company_name(" \n")
    with pytest.raises(ValueError, match="50"):
        phone("1" * 51)
