"""What becomes of a model's answer: a text to store, or a fault in words to mend it by."""

import json
from datetime import date
from typing import Any

import pytest

from models.rules.clients.text_answers import read_qbr, read_summary

TODAY = date(2026, 3, 10)
GOAL, WIN, MEETING = (f"01K9WTN000000000000000000{end}" for end in "123")
METRIC = {
    "metric_key": "roas", "value": 4.2, "avg_value": 4.1, "data_points": 90, "currency": "USD",
    "prior_value": 3.5, "delta_pct": 20, "target": 4, "tracking_status": "on_track",
}  # fmt: skip
GIVEN: dict[str, Any] = {
    "client": {"name": "Acme"},
    "period": {"start": "2025-12-10", "end": "2026-03-10", "days": 90},
    "metrics": [METRIC],
    "insight": None,
    "goals": [
        {"id": GOAL, "metric": "roas", "target": 4, "current_value": 4.2, "progress_pct": 105}
    ],
    "wins": [{"id": WIN, "title": "Best February"}],
    "health_scores": [],
    "meetings": [{"id": MEETING, "title": "Range", "notes": "Budget is 30k."}],
    "history": [],
    "projects": [],
    "success_profile": None,
    "last_qbr": None,
}
WORDS: dict[str, Any] = {
    "executive_summary": "A good quarter.", "performance": [], "wins": [], "challenges": [],
    "goals": [], "recommendations": [], "discussion_points": [], "next_steps": [],
}  # fmt: skip
SENTENCE = "We work well with this client and know what it wants from us. "


def drafted(**changes: Any) -> str:
    return json.dumps(WORDS | changes)


def content(**changes: Any) -> dict[str, Any]:
    verdict = read_qbr(drafted(**changes), GIVEN, TODAY)
    assert verdict.output is not None, verdict.complaint
    return dict(verdict.output)


def test_numbers_of_a_metric_come_from_the_input() -> None:
    assert content(performance=[{"metric_key": "roas", "comment": "Above target."}])[
        "performance"
    ] == [
        {"metric_key": "roas", "currency": "USD", "value": 4.2, "prior_value": 3.5,
         "delta_pct": 20, "target": 4, "tracking_status": "on_track", "comment": "Above target."}
    ]  # fmt: skip


def test_a_number_that_no_qbr_can_show_is_left_out() -> None:
    vast = {"id": WIN, "metric": "m", "target": 10**16, "current_value": 1, "progress_pct": 0}
    odd = {"id": GOAL, "metric": "m", "target": 1, "current_value": 2, "progress_pct": 1e17}
    words = [{"goal_id": goal, "comment": "Fine."} for goal in (WIN, GOAL)]
    verdict = read_qbr(drafted(goals=words), {**GIVEN, "goals": [vast, odd]}, TODAY)
    assert verdict.output is not None
    (shown,) = verdict.output["goals"]
    assert (shown["goal_id"], shown["progress_pct"]) == (GOAL, None)


def test_of_two_entries_about_one_thing_the_first_stays() -> None:
    goals = [{"goal_id": GOAL, "comment": "Reached."}, {"goal_id": GOAL, "comment": "Again."}]
    assert [goal["comment"] for goal in content(goals=goals)["goals"]] == ["Reached."]


@pytest.mark.parametrize("numbers", ["value", "goal_id", "due_date", "target"])
def test_a_model_may_not_send_numbers_of_its_own(numbers: str) -> None:
    goal = {"goal_id": GOAL, "comment": "Reached.", numbers: 7}
    assert read_qbr(drafted(goals=[goal]), GIVEN, TODAY).fault == "it is not of the shape"


def test_a_next_step_has_no_date_that_nobody_agreed_on() -> None:
    steps = content(next_steps=[{"title": "Agree the budget", "owner": "client"}])["next_steps"]
    assert steps == [{"title": "Agree the budget", "owner": "client", "due_date": None}]


def test_a_fence_around_the_whole_is_put_up_with() -> None:
    assert read_qbr(f"```json\n{drafted()}\n```", GIVEN, TODAY).fault is None


@pytest.mark.parametrize(
    "answer",
    [
        "", "null", "[]", "{}", "Sure! " + drafted(), drafted(more=1), drafted(wins=None),
        drafted(executive_summary=""), drafted(executive_summary="x" * 4001),
        drafted(recommendations=[{"title": "T", "rationale": "R", "priority": "urgent",
                                  "owner": "agency"}]),
    ],
)  # fmt: skip
def test_what_is_not_of_the_shape_is_told(answer: str) -> None:
    verdict = read_qbr(answer, GIVEN, TODAY)
    assert (verdict.output, verdict.fault) == (None, "it is not of the shape")
    assert verdict.complaint


@pytest.mark.parametrize(
    "changes",
    [
        {"executive_summary": "Revenue is 91k."},
        {"discussion_points": ["Why 91k?"]},
        {"performance": [{"metric_key": "roas", "comment": "Up 91%."}]},
        {"wins": [{"win_id": WIN, "title": "91 cups", "detail": "Sold."}]},
        {"wins": [{"win_id": WIN, "title": "Cups", "detail": "Ninety-one sold."}]},
        {"challenges": [{"source_ids": [MEETING], "title": "T", "detail": "Lost 91k."}]},
        {"goals": [{"goal_id": GOAL, "comment": "Due in 2091."}]},
        {"recommendations": [{"title": "T", "rationale": "Saves 91k.", "priority": "high",
                              "owner": "agency"}]},
        {"next_steps": [{"title": "Meet on 9 January 2031", "owner": "client"}]},
    ],
)  # fmt: skip
def test_a_number_that_no_source_has_is_found_in_every_text(changes: dict[str, Any]) -> None:
    verdict = read_qbr(drafted(**changes), GIVEN, TODAY)
    assert (verdict.output, verdict.fault) == (None, "it has numbers that no source has")


def test_text_that_cannot_be_stored_is_mended() -> None:
    assert content(executive_summary="Good\x00ness.")["executive_summary"] == "Good\ufffdness."


def test_a_summary_is_plain_text_of_the_right_length() -> None:
    text = (SENTENCE * 12).strip()
    assert read_summary(f"  {text}\n", GIVEN, TODAY).output == {"text": text}


@pytest.mark.parametrize(
    "more", ["# Risks\n", "\n- One thing.", "\n1. One thing.", "**Bold.**", "\n\nNext steps:\n"]
)
def test_a_summary_has_no_headings_lists_or_markup(more: str) -> None:
    verdict = read_summary(f"{SENTENCE * 12}{more} {SENTENCE}", GIVEN, TODAY)
    assert (verdict.output, verdict.fault) == (None, "it has headings or lists")
