"""The offline writer's texts about clients pass every check, whatever people have typed."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from activities.llm.offline_client_texts import client_text
from models.contracts.client_texts import TextKind
from models.rules.clients.text_answers import read_qbr, read_summary

TODAY = date(2026, 3, 10)
WIN, GOAL, SCORE = (f"01K9WTN000000000000000000{end}" for end in "123")

typed = st.one_of(
    st.text(min_size=1, max_size=200),
    st.sampled_from(
        ["Acme", "3M", "Studio 54", "Umsatz 1.250,50 €", "# Heading\n- list", "**9,999**",
         "Twenty shops by May 2027", "1 250 000 reached", "Q4 up 12,5 %", "x" * 300]
    ),
)  # fmt: skip
figures = st.one_of(
    st.integers(-(10**9), 10**9),
    st.floats(-(10.0**9), 10.0**9, allow_nan=False).map(lambda value: round(value, 2)),
)
days = st.dates(date(2000, 1, 1), TODAY).map(date.isoformat)


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """The input of either text, with a little of everything or nothing of it."""
    goal = {"id": GOAL, "metric": draw(typed), "target": draw(figures), "current_value": None,
            "progress_pct": draw(st.none() | figures)}  # fmt: skip
    win = {"id": WIN, "title": draw(typed), "description": draw(st.none() | typed),
           "outcome_text": draw(st.none() | typed), "won_at": draw(days)}  # fmt: skip
    score = draw(st.floats(0, 100).map(lambda value: round(value, 2)))
    meeting = {"id": SCORE, "title": draw(typed), "date": draw(days), "notes": None}
    has = draw(st.booleans())
    return {
        "client": {
            "name": draw(typed), "status": "active", "tier": draw(st.none() | st.just("core")),
            "health_score": score if has else None, "last_qbr_date": draw(st.none() | days),
            "next_qbr_date": draw(st.none() | days),
        },
        "period": {"start": draw(days), "end": TODAY.isoformat(), "days": 90},
        "metrics": [], "insight": None, "projects": [], "history": [], "last_qbr": None,
        "success_profile": None,
        "goals": [goal] if has else [],
        "meetings": [meeting] if has else [],
        "health_scores": [{"id": SCORE, "score": score}] if has else [],
        "revenue": {"months": 12, "source": draw(st.sampled_from(["none", "nucleus"])),
                    "total": draw(figures), "currency": "USD"},
        "won": [win] if has else [],
    }  # fmt: skip


@given(known=facts())
def test_a_summary_passes_its_checks(known: dict[str, Any]) -> None:
    given_facts = {**known, "wins": {"days": 90, "newest": known["won"]}}
    verdict = read_summary(client_text(TextKind.AI_SUMMARY, given_facts), given_facts, TODAY)
    assert (verdict.fault, verdict.complaint) == (None, None)
    assert verdict.output is not None
    assert "No language model is configured" in verdict.output["text"]


@given(known=facts())
def test_a_qbr_passes_its_checks(known: dict[str, Any]) -> None:
    given_facts = {**known, "wins": known["won"]}
    verdict = read_qbr(client_text(TextKind.QBR, given_facts), given_facts, TODAY)
    assert (verdict.fault, verdict.complaint) == (None, None)
    assert verdict.output is not None
    assert "No language model is configured" in verdict.output["executive_summary"]
    assert [win["win_id"] for win in verdict.output["wins"]] == [win["id"] for win in known["won"]]
