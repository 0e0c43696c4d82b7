"""Every number in a model's words is one that it was given, however it is written."""

import time
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.rules.clients.cited_numbers import sources_of, uncited

SOURCES = sources_of(
    {
        "id": "01JZ8Q4T7M3V6X9B2C5D8F0G1H",
        "goal_id": "777",
        "revenue": 1250,
        "roas": 3.595,
        "growth_pct": 12.0,
        "target": 284_950,
        "days": 90,
        "is_up": True,
        "held_on": "2026-03-01",
        "scored_at": "2026-05-14T10:20:00Z",
        "financial_year_start": "04-01",
        "share_pct": 37.5,
        "notes": "Sold 40 cups for €2.4m on 14 May. Umsatz 8.750,25 €. Audit of ISO9001 in five "
        "weeks; Q4 is planned.",
    }
)


@pytest.mark.parametrize(
    "words",
    [
        "1,250", "1250", "1.25k", "$1,250", "USD 1,250.00", "USD1,250", "1 250 orders", "-1,250",
        "12%", "12.0 %", "+12 %", "twelve percent", "3.6", "3.60", "3.595", "285k", "40 cups",
        "forty", "€2.4m", "2.4 million", "2,400,000", "five", "5x", "8,750.25", "8,750",
        "1 March 2026", "March 1st, 2026", "March 2026", "2026-03-01", "01/03/2026", "03/01/2026",
        "1.3.2026", "14 May", "May 14", "1 April", "04-01", "in 2026", "Q1 2026", "Q2 2026", "Q4",
        "H1 2026", "B2B in GA4 and ISO9001", "the 90-day window", "one of the first, at a second",
        "in the first half of 2026", "this quarter", "40, 12 and 3.6.", "May we go on?",
        "three eighths of it", "⅜ of it", "three-eighths", "15/40 of it", "XL", "XII", "Ⅻ",
        "third-party cookies", "doubled down on it", "a double-check", "fivefold", "37½",
    ],
)  # fmt: skip
def test_what_the_sources_have_may_be_said_in_any_way(words: str) -> None:
    assert uncited([f"It was {words}, said Acme."], SOURCES) == []


@pytest.mark.parametrize(
    "words",
    [
        "1,350", "1.35k", "12.5k", "13%", "3.7", "3.5", "2.5m", "300k", "284,000", "41", "six",
        "777", "01", "twenty-five", "two hundred and fifty thousand", "hundreds", "doubled",
        "tenfold", "a third", "half", "50%", "1 250 000", "٣", "½", "12.5.1", "24/7", "10:30",
        "the 15th", "ISO9002", "FY27", "2 March 2026", "March 2025", "02/03/2026", "12 May",
        "in 2025", "Q3", "Q4 2026", "H2 2026", "1–14 May", "zero", "two dozen", "twice",
        "a fifth of it", "by a quarter", "three quarters of it", "⅕", "Ⅳ", "XIV",
        "5/12 of it", "12¼", "hundredfold", "sixfold", "trebled", "quadrupled", "halving",
        "ninetynine", "the eighties", "nine\u00adteen", "nine\u200bteen", "4\u200b1",
    ],
)  # fmt: skip
def test_what_no_source_has_is_named(words: str) -> None:
    assert uncited([f"It was {words}, said Acme."], SOURCES) != []


def test_each_number_is_named_once_as_it_was_written() -> None:
    texts = ["Up $9,999 in June 2027.", "Again $9,999, and seven more."]
    assert uncited(texts, SOURCES) == ["9,999", "June 2027", "seven"]


def test_nothing_said_in_numbers_needs_no_source() -> None:
    assert uncited(["We met, and it went well."], sources_of({})) == []


def test_a_rounding_that_tells_another_story_is_named() -> None:
    assert uncited(["4k"], sources_of([3600])) == ["4k"]
    assert uncited(["3.6k"], sources_of([3601])) == []


numbers = st.decimals(
    min_value=Decimal("0.01"), max_value=Decimal(10**9), allow_nan=False, places=2
)


@given(value=numbers, style=st.sampled_from(["{:,.2f}", "{:.2f}", "${:,.2f}", "{:.2f}%", "-{:f}"]))
def test_a_number_of_the_sources_always_passes(value: Decimal, style: str) -> None:
    assert uncited([f"We saw {style.format(value)} there."], sources_of({"value": value})) == []


@given(value=st.integers(1, 10**9), text=st.booleans())
def test_a_whole_number_passes_from_json_and_from_text(value: int, text: bool) -> None:
    sources = sources_of([f"We sold {value:,} cups."] if text else [value])
    assert uncited([f"{value:,} cups, or {value} of them"], sources) == []


@given(known=st.lists(numbers, max_size=5), invented=numbers)
def test_an_invented_number_never_passes(known: list[Decimal], invented: Decimal) -> None:
    assume(all(abs(one - invented) > one / 20 for one in known))
    assert uncited([f"It rose to {invented:,.2f} by then."], sources_of(known)) != []


@given(day=st.dates(date(1950, 1, 1), date(2050, 1, 1)))
def test_a_date_of_the_sources_passes_in_words(day: date) -> None:
    words = [f"{day.day} {day:%B %Y}", f"{day:%b} {day.day}, {day.year}", f"{day:%d/%m/%Y}"]
    assert uncited(words, sources_of({"held_on": day.isoformat()})) == []


@given(
    day=st.dates(date(1950, 1, 1), date(2050, 1, 1)),
    other=st.dates(date(1950, 1, 1), date(2050, 1, 1)),
)
def test_another_date_never_passes(day: date, other: date) -> None:
    assume(day != other)
    words = [f"{other.day} {other:%B %Y}", other.isoformat()]
    assert len(uncited(words, sources_of([day.isoformat()]))) == 2


pieces = st.sampled_from(
    [*"0123456789" * 2, " ", ", ", ".", ",", "-", "/", " and ", "%", "k", "m", " million", " May ",
     " March ", "st", "Q", "H", " twenty", "-five", " hundred", " half", " third", "USD", "€", ":",
     "(", ")", "1,250", "2026", "12.5", "1.250,50", " 1 250 000", "½", "٣", "T", "Z"]
)  # fmt: skip


@given(text=st.one_of(st.text(), st.lists(pieces, max_size=14).map("".join)))
def test_what_a_source_says_may_be_said_again_word_by_word(text: str) -> None:
    assert uncited([text], sources_of([text])) == []


@given(text=st.text())
def test_no_text_hides_a_number(text: str) -> None:
    assert uncited([f"{text} 9182736"], sources_of(["nothing"])) != []


def test_a_long_word_does_not_hold_the_worker_up() -> None:
    began = time.perf_counter()
    sources_of(["a" * 4000] * 5)
    assert time.perf_counter() - began < 1
