"""The pages about platforms say what the code does: credentials, settings, versions, days."""

import re
from pathlib import Path

import pytest

from activities.connectors import google_ads, klaviyo, linkedin_ads, meta_reports, shopify
from models.rules.platforms.registry import PLATFORMS, Platform, PlatformId
from models.rules.platforms.restatement import RESTATED_DAYS

PAGES = Path(__file__).parents[2] / "docs" / "platforms"
INDEX = (PAGES / "README.md").read_text()
VERSIONS = {
    PlatformId.META_ADS: meta_reports.VERSION,
    PlatformId.GOOGLE_ADS: google_ads.VERSION,
    PlatformId.LINKEDIN_ADS: linkedin_ads.VERSION,
    PlatformId.SHOPIFY: shopify.VERSION,
    PlatformId.KLAVIYO: klaviyo.REVISION,
}
PLATFORM = pytest.mark.parametrize("platform", PLATFORMS.values(), ids=lambda one: one.id)


def page(id: PlatformId) -> str:
    return (PAGES / f"{id}.md").read_text()


@PLATFORM
def test_a_page_names_every_credential(platform: Platform) -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", page(platform.id), re.MULTILINE))
    assert {one.key for one in platform.credentials} <= told


@PLATFORM
def test_a_page_names_the_scopes_that_the_form_does(platform: Platform) -> None:
    written = page(platform.id)
    scopes = {
        scope
        for one in platform.credentials
        for scope in re.findall(r"\b(?:\w+_)?(?:ads|read)_\w+|\w+\.readonly", one.help or "")
    }
    assert {scope for scope in scopes if scope not in written} == set()


@PLATFORM
def test_a_page_names_the_settings_that_the_deployment_must_have(platform: Platform) -> None:
    for text in (page(platform.id), INDEX):
        assert {one for one in platform.app_settings if f"`THROUGHLINE_{one}`" not in text} == set()


@PLATFORM
def test_a_page_and_the_index_tell_how_long_days_are_provisional(platform: Platform) -> None:
    days = f"{RESTATED_DAYS[platform.id]} days"
    assert f"**{days}**" in page(platform.id)
    (row,) = (line for line in INDEX.splitlines() if f"]({platform.id}.md)" in line)
    assert (f"`{platform.id}`" in row, f"| {days} |" in row) == (True, True)


@pytest.mark.parametrize(("id", "version"), VERSIONS.items())
def test_a_page_names_the_version_that_is_spoken(id: PlatformId, version: str) -> None:
    assert f"**{version}**" in page(id)


def test_every_page_is_of_a_platform() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} - {"README"} == set(PLATFORMS)
