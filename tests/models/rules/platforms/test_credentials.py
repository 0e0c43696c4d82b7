import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Invalid, Unavailable
from models.rules.platforms.credentials import account_id, checked, secrets_of
from models.rules.platforms.registry import PLATFORMS, PlatformId, is_available

EVERYTHING = {name for platform in PLATFORMS.values() for name in platform.app_settings}
GOOD = {
    PlatformId.META_ADS: {"access_token": "EAAB", "ad_account_id": "act_12345"},
    PlatformId.GOOGLE_ADS: {"refresh_token": "1//0g", "customer_id": "123-456-7890"},
    PlatformId.TIKTOK_ADS: {"access_token": "t", "advertiser_id": "70001234"},
    PlatformId.LINKEDIN_ADS: {"access_token": "t", "ad_account_id": "50012345"},
    PlatformId.SHOPIFY: {"shop_domain": "northwind.myshopify.com", "access_token": "shpat_1"},
    PlatformId.GA4: {"property_id": "123456", "service_account_json": json.dumps({"type": "x"})},
    PlatformId.GOOGLE_SEARCH_CONSOLE: {"site_url": "sc-domain:a.test", "refresh_token": "r"},
    PlatformId.KLAVIYO: {"api_key": "pk_abc_1"},
    PlatformId.MAILCHIMP: {"api_key": "0123456789abcdef0123456789abcdef-us21"},
}


def refused(platform_id, **credentials):
    with pytest.raises(Invalid) as caught:
        checked(PLATFORMS[platform_id], credentials, EVERYTHING)
    return {item.location: item.value for item in caught.value.items}


@pytest.mark.parametrize("platform_id", PlatformId)
def test_good_credentials_are_taken(platform_id):
    assert checked(PLATFORMS[platform_id], GOOD[platform_id], EVERYTHING) == GOOD[platform_id]


@pytest.mark.parametrize("platform_id", PlatformId)
def test_each_required_credential_is_asked_for_by_name(platform_id):
    required = {
        f"body.credentials.{one.key}" for one in PLATFORMS[platform_id].credentials if one.required
    }
    assert required <= set(refused(platform_id))


@pytest.mark.parametrize(
    ("platform_id", "credentials", "location"),
    [
        ("meta_ads", {"access_token": "t", "ad_account_id": "abc"}, "ad_account_id"),
        ("meta_ads", {**GOOD[PlatformId.META_ADS], "passwrd": "x"}, "passwrd"),
        ("shopify", {"shop_domain": "https://x.test", "access_token": "t"}, "shop_domain"),
        ("ga4", {"property_id": "123456", "service_account_json": "{"}, "service_account_json"),
        ("klaviyo", {"api_key": " pk_abc"}, "api_key"),
        ("klaviyo", {"api_key": 5}, "api_key"),
    ],
)
def test_a_malformed_credential_is_named_and_its_value_never_told(
    platform_id, credentials, location
):
    assert refused(PlatformId(platform_id), **credentials) == {f"body.credentials.{location}": None}


@pytest.mark.parametrize("misplaced", ["EAAB0Sk12", "pk_abc_1", "x" * 31, "", "Access token"])
def test_an_unknown_key_that_may_be_a_secret_is_not_repeated(misplaced):
    meta = GOOD[PlatformId.META_ADS]
    assert refused(PlatformId.META_ADS, **meta, **{misplaced: "x"}) == {"body.credentials": None}


def test_of_many_unknown_keys_a_few_are_told():
    many = {f"key_{'x' * one}": 1 for one in range(20)}
    assert len(refused(PlatformId.META_ADS, **GOOD[PlatformId.META_ADS], **many)) == 10


def test_of_a_group_one_must_be_given():
    assert list(refused(PlatformId.GA4, property_id="123456")) == ["body.credentials"]


def test_a_service_account_needs_no_settings_of_the_application_and_a_refresh_token_does():
    ga4 = PLATFORMS[PlatformId.GA4]
    assert is_available(ga4, ())
    assert checked(ga4, GOOD[PlatformId.GA4], ()) == GOOD[PlatformId.GA4]
    with pytest.raises(Unavailable):
        checked(ga4, {"property_id": "123456", "refresh_token": "r"}, ())


@pytest.mark.parametrize("platform_id", ["google_ads", "linkedin_ads"])
def test_a_platform_without_its_settings_is_not_available(platform_id):
    platform = PLATFORMS[PlatformId(platform_id)]
    assert not is_available(platform, ())
    assert is_available(platform, EVERYTHING)
    with pytest.raises(Unavailable):
        checked(platform, GOOD[platform.id], ())


@pytest.mark.parametrize(
    ("platform_id", "expected"),
    [
        ("meta_ads", "12345"),
        ("google_ads", "1234567890"),
        ("shopify", "northwind.myshopify.com"),
        ("klaviyo", None),
    ],
)
def test_an_account_is_written_in_one_way(platform_id, expected):
    platform = PLATFORMS[PlatformId(platform_id)]
    assert account_id(platform, GOOD[platform.id]) == expected


@given(
    st.sampled_from(PlatformId),
    st.dictionaries(st.text(max_size=12), st.none() | st.text() | st.integers(), max_size=4),
)
def test_garbage_is_refused_and_never_breaks_anything(platform_id, credentials):
    with pytest.raises(Invalid) as caught:
        checked(PLATFORMS[platform_id], credentials, EVERYTHING)
    assert all(item.value is None for item in caught.value.items)


@pytest.mark.parametrize("token", ["with blank", "töken", "to\nken", "\x7ftoken", "to\u2028ken"])
def test_a_token_that_no_header_can_carry_is_refused(token):
    found = refused(PlatformId.META_ADS, access_token=token, ad_account_id="12345")
    assert found == {"body.credentials.access_token": None}


def test_a_document_nested_beyond_reading_is_refused():
    given = {"property_id": "123456", "service_account_json": '{"a":' * 3_300}
    assert refused(PlatformId.GA4, **given) == {"body.credentials.service_account_json": None}


def test_what_is_secret_is_told_apart_from_what_may_be_shown():
    assert secrets_of(PlatformId.META_ADS, GOOD[PlatformId.META_ADS]) == ("EAAB",)
    document = json.dumps({"client_email": "a@b.test", "private_key": "-----BEGIN\nabc"})
    given = {"property_id": "123456", "service_account_json": document}
    assert secrets_of(PlatformId.GA4, given) == (document, "-----BEGIN\nabc")
    assert secrets_of(PlatformId.GA4, {**given, "service_account_json": "{"}) == ("{",)
