"""What is masked before a text goes into a prompt, and what is left."""

import time

import pytest

from models.rules.clients.masking import EMAIL, PHONE, SECRET, masked, masked_json


@pytest.mark.parametrize(
    "written",
    [
        "ada@example.com", "Ada.O'Neil+x@mail.example.co.uk", "ä.ö@bücher.example",
        "ada＠example.com", "ada @ example.com", "ada(at)example.com", "ada [at] mail.example.com",
    ],
)  # fmt: skip
def test_an_address_is_masked(written: str) -> None:
    assert masked(f"Write to {written}, please.") == f"Write to {EMAIL}, please."


@pytest.mark.parametrize(
    "written",
    [
        "+44 20 7946 0958", "+4930123456", "0049 30 123456", "030 1234567", "(555) 123-4567",
        "555-123-4567", "555 123 4567", "06 12 34 56 78", "5551234567", "+1.555.123.4567",
        "030/1234567", "020 7946 0958",
        "0171-1234567", "089–1234567", "089\u20111234567", "5551-2345", "089\u202f1234567",
    ],
)  # fmt: skip
def test_a_phone_number_is_masked(written: str) -> None:
    assert masked(f"Call {written}.") == f"Call {PHONE}."


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-01", "2026-03-01 to 2026-05-14", "01.03.2026", "1 250 000", "1.250.000", "1250000",
        "1,250,000.50", "12500.75", "12.5%", "2024-2026", "ROAS 3.25 in 2026", "10-15 of 40",
        "1200-1500", "20000 - 25000", "FY 2025/2026", "2024–2026", "1,250 @ 3.25",
    ],
)  # fmt: skip
def test_dates_and_amounts_are_left(written: str) -> None:
    assert masked(f"It was {written} then.") == f"It was {written} then."


@pytest.mark.parametrize(
    "written",
    [
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "password: hunter2",
        "the API key is abc-123",
        "pw: hunter2",
    ],
)
def test_a_credential_is_masked(written: str) -> None:
    said = masked(f"Note {written} here.")
    assert SECRET in said
    assert not {"4eC39HqLyjWDarjtT1zdp7dc", "hunter2", "abc-123"} & set(said.split())


def test_every_text_of_a_value_is_masked() -> None:
    given = {"notes": ["Call +4930123456"], "score": 12.5, "none": None}
    assert masked_json(given) == {"notes": [f"Call {PHONE}"], "score": 12.5, "none": None}


def test_a_date_of_any_year_and_the_id_of_a_campaign_are_no_phone_numbers() -> None:
    given = {"since": "0001-01-01", "campaigns": [{"campaign_id": "20123456789"}]}
    assert masked_json(given) == given
    assert masked_json(["0001-46-01", "20123456789"]) == [PHONE, PHONE]


def test_a_word_that_begins_like_a_key_is_left() -> None:
    assert masked("Meet on key-account-management.") == "Meet on key-account-management."


def test_a_long_word_does_not_hold_the_worker_up() -> None:
    began = time.perf_counter()
    for hostile in ("a.", "key-", "a@", "1 ", "(1", "sk"):
        masked(hostile * (4000 // len(hostile)))
    assert time.perf_counter() - began < 0.5
