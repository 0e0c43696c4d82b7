"""The offline writer on results: it says nothing that the facts do not have, and says who it is."""

import json
from typing import Any

import pytest

from activities.llm.offline_results import answer, insight
from models.rules.results.text_answers import read_answer, read_insight
from tests.models.rules.results.test_result_texts import FACTS, GIVEN, TODAY, metric

EMPTY = {**GIVEN, "metrics": [], "campaigns": [], "connections": []}
BROAD: dict[str, Any] = {
    **GIVEN,
    "metrics": [
        metric(key, number * 1000.25, prior_value=500, delta_pct=sign * number * 11.5)
        for number, (key, sign) in enumerate(
            [("spend", 1), ("impressions", 1), ("clicks", -1), ("cpa", 1), ("orders", -1),
             ("store_revenue", 1), ("sessions", -1), ("custom_thing", 1)], start=1
        )
    ],
    "connections": [
        {"platform": "shopify", "status": "expired", "last_synced_at": None,
         "last_sync_error": None},
        {"platform": "google_ads", "status": "active", "last_synced_at": "2026-03-31",
         "last_sync_error": "429"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("given", [GIVEN, EMPTY, BROAD], ids=["some", "empty", "broad"])
def test_its_insight_passes_every_check(given: dict[str, Any]) -> None:
    verdict = read_insight(insight(given), given, TODAY)
    assert verdict.fault is None, verdict.complaint
    assert verdict.output is not None
    assert "No language model is configured" in verdict.output["content"]


def test_its_insight_tells_better_from_worse_and_names_what_does_not_work() -> None:
    verdict = read_insight(insight(BROAD), BROAD, TODAY)
    assert verdict.output is not None
    said = verdict.output["content_json"]
    highlights = [one["metric_key"] for one in said["highlights"]]
    assert highlights == ["store_revenue", "impressions"]
    assert {one["metric_key"] for one in said["concerns"]} == {
        "clicks", "cpa", "orders", "sessions"
    }  # fmt: skip
    assert [one["platform"] for one in said["data_quality"]] == ["shopify", "google_ads"]


def ask(question: str, **changes: Any) -> tuple[bool, str]:
    given = {**FACTS, "question": question, **changes}
    said = answer(given)
    verdict = read_answer(said, given, TODAY)
    assert verdict.output is not None, verdict.complaint
    return json.loads(said)["is_answered"], verdict.output["answer"]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("How did our ROAS do this month?", "ROAS came to 4.2, up 20 % on the period before"),
        ("What did we spend in the quarter?", "Spend came to 1,200.5 USD"),
        ("which campaign is best?", "“Spring 77” spent most, 700 USD, at a ROAS of 5.1"),
    ],
)
def test_it_answers_with_the_metric_that_the_question_names(question: str, told: str) -> None:
    is_answered, text = ask(question)
    assert is_answered
    assert told in text
    assert "Source: " in text
    assert "No language model is configured" in text


@pytest.mark.parametrize(
    "question",
    [
        "What is the weather?", "Why did ROAS go up?", "What will ROAS be next month?",
        "How was ROAS in May 2024?", "How many orders did we get?", "ROAS yesterday?",
    ],
)  # fmt: skip
def test_it_says_so_when_the_facts_do_not_hold_the_answer(question: str) -> None:
    is_answered, text = ask(question)
    assert not is_answered
    assert "do not hold an answer" in text


def test_without_any_numbers_it_says_that_there_are_none() -> None:
    is_answered, text = ask("How is ROAS?", metrics={"month": [], "quarter": []}, campaigns=[])
    assert not is_answered
    assert "they hold no numbers" in text
