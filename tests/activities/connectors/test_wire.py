"""The small readings that all connectors share."""

import gzip
from collections.abc import AsyncIterator, Callable
from datetime import date
from decimal import Decimal

import httpx
import pytest

from activities.connectors.errors import PlatformBusy
from activities.connectors.shopify import Shopify
from activities.connectors.wire import (
    Wire,
    currency_code,
    currency_if_any,
    days,
    halves,
    number,
    spans,
    text,
    time_zone,
    whole,
    words,
)


@pytest.mark.parametrize(
    ("given", "value"),
    [("12.50", "12.50"), (3, "3"), (None, "0"), ("-", "0"), ("", "0"), (Decimal("0.1"), "0.1")],
)
def test_a_number_comes_in_many_writings(given: object, value: str) -> None:
    assert number(given) == Decimal(value)


@pytest.mark.parametrize("given", ["NaN", "Infinity", "1e30", "x", True, [], {}])
def test_what_is_no_number_is_not_taken_for_one(given: object) -> None:
    with pytest.raises((ArithmeticError, ValueError)):
        number(given)


def test_counts_are_whole() -> None:
    assert whole("17.0") == 17


def test_the_first_text_there_is_can_be_stored() -> None:
    assert words(None, "", "  ", 7, "a\x00b") == "a\N{REPLACEMENT CHARACTER}b"
    assert words(None) is None
    assert text(123) == "123"
    odd: list[object] = [None, "", True, 1.5, []]
    for wrong in odd:
        with pytest.raises(ValueError, match="no text"):
            text(wrong)


def test_a_currency_has_one_writing_and_what_is_none_is_not_taken_for_one() -> None:
    assert [currency_code("EUR"), currency_code("usd")] == ["EUR", "USD"]
    assert [currency_if_any(none) for none in (None, "")] == [None, None]
    for wrong in ("", "EURO", "E1R", "\x00\u20ac", "X" * 500, "EUR\n", 978, None):
        with pytest.raises(ValueError, match=r"no (text|currency)"):
            currency_code(wrong)


def test_a_zone_that_is_none_is_utc() -> None:
    assert time_zone("Europe/Berlin") == "Europe/Berlin"
    assert [time_zone(odd) for odd in ("Nowhere/Land", "", None, "../etc/passwd")] == ["UTC"] * 4


def test_ranges_are_cut_without_gaps() -> None:
    first, last = date(2026, 2, 27), date(2026, 3, 5)
    cut = list(spans(first, last, 3))
    assert [(end - start).days + 1 for start, end in cut] == [3, 3, 1]
    assert [day for span in cut for day in days(*span)] == list(days(first, last))
    assert [day for half in halves(first, last) for day in days(*half)] == list(days(first, last))


def wire(answer: Callable[[httpx.Request], httpx.Response], *, longest: int = 1000) -> Wire:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Wire(
        vendor="Shop",
        http=http,
        base_url="https://shop.test",
        error_of=lambda *_: None,
        longest=longest,
    )


TOO_MUCH = r"Shop answered with more than can be taken\."


async def test_an_answer_without_end_is_not_taken_in() -> None:
    read: list[int] = []

    async def without_end() -> AsyncIterator[bytes]:
        while len(read) < 100:
            read.append(500)
            yield b" " * 500

    endless = wire(lambda _: httpx.Response(200, content=without_end()))
    with pytest.raises(PlatformBusy, match=TOO_MUCH):
        await endless.ask("GET", "/", secrets=())
    assert len(read) < 5


async def test_an_answer_counts_as_long_as_it_is_unpacked() -> None:
    packed = gzip.compress(b" " * 5000)
    assert len(packed) < 1000

    def answer(_: httpx.Request) -> httpx.Response:
        stream = httpx.ByteStream(packed)
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream)

    with pytest.raises(PlatformBusy, match=TOO_MUCH):
        await wire(answer).ask("GET", "/", secrets=())


async def test_an_answer_that_comes_in_parts_is_read_to_its_end() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b'{"a"', b": 1", b".5}"):
            yield part

    answer = await wire(lambda _: httpx.Response(200, content=parts())).ask("GET", "/", secrets=())
    assert answer.body == {"a": Decimal("1.5")}


@pytest.mark.parametrize("shop", ["xn--.myshopify.com", "xn--a.myshopify.com"])
async def test_a_host_that_is_none_cannot_be_reached(shop: str) -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(PlatformBusy, match=r"Shopify could not be reached"):
            await Shopify(http).verify({"shop_domain": shop, "access_token": "shpat_1"})
