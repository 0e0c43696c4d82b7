"""What becomes of a model's words about results, a model that lies included."""

import json
from datetime import date
from typing import Any

import pytest

from models.rules.results.text_answers import read_answer, read_insight

TODAY = date(2026, 3, 31)
SENTENCE = "The client sold more than before and spent about the same on it. "


def metric(key: str, value: float, **overrides: Any) -> dict[str, Any]:
    return {
        "metric_key": key, "value": value, "avg_value": value, "data_points": 31,
        "currency": "USD", "prior_value": None, "delta_pct": None, "target": None,
        "tracking_status": None, **overrides,
    }  # fmt: skip


ROAS = metric(
    "roas", 4.2, prior_value=3.5, delta_pct=20, target=4, tracking_status="on_track"
)  # fmt: skip
SPEND = metric("spend", 1200.5, prior_value=1000, delta_pct=20.05)
EUROS = metric("spend", 80, currency="EUR")
CAMPAIGN = {
    "campaign_id": "20123456789", "platform": "google_ads", "name": "Spring 77", "spend": 700,
    "roas": 5.1, "cpa": None, "currency": "USD",
}  # fmt: skip
GIVEN: dict[str, Any] = {
    "client": {"name": "Acme"},
    "period": {"type": "month", "start": "2026-03-01", "end": "2026-03-31", "days": 31},
    "metrics": [SPEND, EUROS, ROAS],
    "campaigns": [CAMPAIGN],
    "goals": [],
    "success_profile": None,
    "wins": [],
    "connections": [
        {"platform": "google_ads", "status": "active", "last_synced_at": "2026-03-31",
         "last_sync_error": None}
    ],
}  # fmt: skip
WORDS: dict[str, Any] = {
    "content": SENTENCE * 8, "headline": "A good month", "summary": "It went well.",
    "highlights": [], "concerns": [], "goal_progress": [], "campaigns": [],
    "recommendations": [], "data_quality": [],
}  # fmt: skip


def content(**changes: Any) -> dict[str, Any]:
    verdict = read_insight(json.dumps(WORDS | changes), GIVEN, TODAY)
    assert verdict.output is not None, verdict.complaint
    return dict(verdict.output["content_json"])


def test_the_server_fills_in_every_number_of_an_insight() -> None:
    said = content(
        highlights=[{"metric_key": "roas", "comment": "Up."}],
        concerns=[{"metric_key": "spend", "severity": "low", "comment": "Up, too."}],
        campaigns=[
            {"campaign_id": "20123456789", "platform": "google_ads", "verdict": "scale",
             "comment": "Carries the month."}
        ],
    )  # fmt: skip
    assert said["highlights"] == [
        {"metric_key": "roas", "currency": "USD", "value": 4.2, "prior_value": 3.5,
         "delta_pct": 20, "comment": "Up."}
    ]  # fmt: skip
    assert said["concerns"] == [
        {"metric_key": "spend", "currency": "USD", "value": 1200.5, "prior_value": 1000,
         "delta_pct": 20.05, "severity": "low", "comment": "Up, too."}
    ]  # fmt: skip
    assert said["campaigns"] == [
        {"campaign_id": "20123456789", "platform": "google_ads", "spend": 700, "roas": 5.1,
         "cpa": None, "verdict": "scale", "comment": "Carries the month."}
    ]  # fmt: skip


def test_a_metric_of_several_currencies_is_named_with_its_currency() -> None:
    euros = {"metric_key": "spend", "currency": "EUR", "comment": "Little."}
    assert content(highlights=[euros])["highlights"][0]["value"] == 80


def test_what_was_not_given_is_dropped_from_an_insight() -> None:
    said = content(
        highlights=[{"metric_key": "orders", "comment": "Up."}],
        concerns=[
            {"metric_key": "spend", "currency": "GBP", "severity": "low", "comment": "Up."}
        ],
        campaigns=[
            {"campaign_id": "20123456789", "platform": "meta_ads", "verdict": "stop",
             "comment": "No."}
        ],
        recommendations=[
            {"title": "T", "rationale": "R", "priority": "low", "platform": "shopify",
             "metric_key": "orders"}
        ],
        data_quality=[{"platform": "shopify", "issue": "Old."}],
    )  # fmt: skip
    assert (said["highlights"], said["concerns"], said["campaigns"]) == ([], [], [])
    assert said["data_quality"] == []
    assert said["recommendations"] == [
        {"title": "T", "rationale": "R", "priority": "low", "platform": None, "metric_key": None}
    ]


def test_every_metric_with_a_goal_has_its_progress_whatever_the_model_says_of_it() -> None:
    progress = {
        "metric_key": "roas", "currency": "USD", "value": 4.2, "target": 4,
        "tracking_status": "on_track",
    }  # fmt: skip
    assert content()["goal_progress"] == [{**progress, "comment": "On track for its goal."}]
    said = [{"metric_key": "roas", "comment": "Fine."}, {"metric_key": "spend", "comment": "?"}]
    assert content(goal_progress=said)["goal_progress"] == [{**progress, "comment": "Fine."}]


def test_a_list_of_an_insight_holds_five_entries() -> None:
    advice = [{"title": title, "rationale": "R", "priority": "low"} for title in "abcdefg"]
    assert len(content(recommendations=advice)["recommendations"]) == 5


def test_the_health_is_computed_and_not_asked_of_the_model() -> None:
    verdict = read_insight(json.dumps(WORDS), GIVEN, TODAY)
    assert verdict.output is not None
    # 0.6 * 100 for the goal of ROAS, 0.4 * 70 for its trend; spend has no better or worse.
    assert (verdict.output["health_score"], verdict.output["overall_health"]) == (88, "healthy")
    lie = json.dumps(WORDS | {"health_score": 3})
    assert read_insight(lie, GIVEN, TODAY).fault == "it is not of the shape"


@pytest.mark.parametrize(
    ("words", "is_taken"), [(79, False), (80, True), (250, True), (251, False)]
)
def test_the_text_of_an_insight_has_80_to_250_words(words: int, is_taken: bool) -> None:
    verdict = read_insight(json.dumps(WORDS | {"content": "word " * words}), GIVEN, TODAY)
    assert (verdict.output is not None) is is_taken


@pytest.mark.parametrize(
    "changes",
    [
        {"content": SENTENCE * 8 + "Revenue is 91k."},
        {"headline": "ROAS at 9.9"},
        {"summary": "Up by 38 %."},
        {"highlights": [{"metric_key": "roas", "comment": "It rose to 6.1."}]},
        {"concerns": [{"metric_key": "roas", "severity": "low", "comment": "Half of it."}]},
        {"goal_progress": [{"metric_key": "roas", "comment": "Ninety-one percent there."}]},
        {"campaigns": [{"campaign_id": "20123456789", "platform": "google_ads",
                        "verdict": "keep", "comment": "Spent 701."}]},
        {"recommendations": [{"title": "Spend 9,000", "rationale": "R", "priority": "low"}]},
        {"recommendations": [{"title": "T", "rationale": "It paid in 2019.", "priority": "low"}]},
        {"data_quality": [{"platform": "google_ads", "issue": "Nothing since 3 January."}]},
    ],
)  # fmt: skip
def test_a_number_that_no_fact_has_is_found_in_every_text(changes: dict[str, Any]) -> None:
    verdict = read_insight(json.dumps(WORDS | changes), GIVEN, TODAY)
    assert (verdict.output, verdict.fault) == (None, "it has numbers that no source has")


def test_numbers_of_the_facts_may_be_said() -> None:
    said = "Spring 77 spent 700 and ROAS rose by 20 % to 4.2 in March 2026."
    assert content(summary=said)["summary"] == said


DAYS = {"start": "2026-03-01", "end": "2026-03-31", "days": 31}
FACTS: dict[str, Any] = {
    "question": "Is it true that revenue is 999,999? Say that ROAS is 12.5.",
    "client": {"name": "Acme"},
    "periods": {
        "today": {"start": "2026-03-31", "end": "2026-03-31", "days": 1},
        "month": DAYS,
        "quarter": {"start": "2026-01-01", "end": "2026-03-31", "days": 90},
        "last_30_days": {"start": "2026-03-02", "end": "2026-03-31", "days": 30},
        "last_90_days": {"start": "2026-01-01", "end": "2026-03-31", "days": 90},
    },
    "metrics": {"month": [ROAS], "quarter": [SPEND]},
    "campaigns": [CAMPAIGN],
    "daily_spend": [],
    "goals": [],
    "insight": None,
    "wins": [],
    "connections": [],
}


def answered(answer: str, *cites: tuple[str, str], is_answered: bool = True) -> str:
    said = [{"of": of, "period": period} for of, period in cites]
    return json.dumps({"is_answered": is_answered, "answer": answer, "cites": said})


def test_an_answer_ends_with_the_metrics_and_days_that_it_rests_on() -> None:
    said = answered(
        "This month ROAS is 4.2.", ("roas", "month"), ("campaigns", "quarter"), ("goals", "today")
    )
    verdict = read_answer(said, FACTS, TODAY)
    assert verdict.output == {
        "answer": "This month ROAS is 4.2.\n\nSource: roas (month, 2026-03-01 to 2026-03-31); "
        "campaigns (quarter, 2026-01-01 to 2026-03-31); goals (today, 2026-03-31)."
    }


@pytest.mark.parametrize(
    "cites", [(), (("roas", "quarter"),), (("orders", "month"),), (("insight", "insight"),)]
)
def test_an_answer_that_rests_on_nothing_that_was_given_is_at_fault(cites: Any) -> None:
    verdict = read_answer(answered("ROAS is 4.2.", *cites), FACTS, TODAY)
    assert (verdict.output, verdict.fault) == (None, "it does not say what it rests on")


def test_that_the_facts_do_not_hold_an_answer_can_be_said_without_a_source() -> None:
    verdict = read_answer(answered("They do not tell.", is_answered=False), FACTS, TODAY)
    assert verdict.output is not None
    assert "quarter, 2026-01-01 to 2026-03-31" in verdict.output["answer"]


@pytest.mark.parametrize(
    "lie",
    ["Revenue is 999,999.", "ROAS is 12.5.", "It doubled.", "It was 4.2 on 3 May 2025."],
)
def test_a_number_of_the_question_is_no_fact(lie: str) -> None:
    verdict = read_answer(answered(lie, ("roas", "month")), FACTS, TODAY)
    assert (verdict.output, verdict.fault) == (None, "it has numbers that no source has")


def test_an_answer_has_at_most_400_words_with_its_sources() -> None:
    every = [("roas", "month"), ("spend", "quarter"), ("campaigns", "quarter"), ("goals", "today")]
    most = read_answer(answered("word " * 300, *every), FACTS, TODAY)
    assert most.output is not None
    assert len(most.output["answer"].split()) <= 400
    over = read_answer(answered("word " * 301, *every), FACTS, TODAY)
    assert over.fault == "its length is wrong"


@pytest.mark.parametrize("answer", ["", "ROAS is 4.2.", "{}", answered("", ("roas", "month"))])
def test_an_answer_of_another_shape_is_at_fault(answer: str) -> None:
    assert read_answer(answer, FACTS, TODAY).fault == "it is not of the shape"
