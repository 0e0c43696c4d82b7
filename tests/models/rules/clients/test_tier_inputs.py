from decimal import Decimal

import pytest

from models.errors import Invalid
from models.rules.clients.tier_inputs import Override, overridden, resolved
from models.rules.clients.tiers import Dimension
from models.rules.clients.vocabulary import TierTrack

D = Dimension
STORED = {D.PROFITABILITY: Decimal(3), D.STRATEGIC: Decimal(4), D.RELATIONSHIP: Decimal(5)}
BILLED_ELSEWHERE = Override(value=Decimal(3), reason="Billed by the parent company.")


def locations(refused):
    return [item.location for item in refused.value.items]


def test_a_score_that_is_not_sent_keeps_its_stored_value():
    known = resolved(TierTrack.DELIVERY, sent={D.STRATEGIC: Decimal(2)}, stored=STORED)
    assert known == {**STORED, D.STRATEGIC: Decimal(2)}


def test_scores_of_the_other_track_stay_stored():
    sent = {D.RELATIONSHIP: Decimal(1), D.GROWTH: Decimal("3.5")}
    assert resolved(TierTrack.PRODUCT, sent=sent, stored=STORED) == {**STORED, **sent}


@pytest.mark.parametrize(
    ("track", "sent", "stored", "wrong"),
    [
        (TierTrack.DELIVERY, {D.GROWTH: 3}, STORED, ["body.growth_score"]),
        (TierTrack.PRODUCT, {D.GROWTH: 3, D.STRATEGIC: 3}, STORED, ["body.strategic_score"]),
        (TierTrack.PRODUCT, {}, STORED, ["body.growth_score"]),
        (TierTrack.DELIVERY, {D.STRATEGIC: 3}, {},
         ["body.profitability_score", "body.relationship_score"]),
        (TierTrack.DELIVERY, {D.STRATEGIC: "5.01"}, STORED, ["body.strategic_score"]),
        (TierTrack.DELIVERY, {D.STRATEGIC: "0.99"}, STORED, ["body.strategic_score"]),
        (TierTrack.DELIVERY, {D.STRATEGIC: "3.005"}, STORED, ["body.strategic_score"]),
    ],
)  # fmt: skip
def test_scores_that_do_not_fit_are_named(track, sent, stored, wrong):
    with pytest.raises(Invalid) as refused:
        resolved(track, sent={name: Decimal(value) for name, value in sent.items()}, stored=stored)
    assert locations(refused) == wrong


@pytest.mark.parametrize(
    ("present", "sends", "value", "reason", "expected"),
    [
        (BILLED_ELSEWHERE, False, None, None, BILLED_ELSEWHERE),
        (None, False, None, None, None),
        (BILLED_ELSEWHERE, True, None, None, None),
        (None, True, 3, "Billed by the parent company.", BILLED_ELSEWHERE),
        (BILLED_ELSEWHERE, True, 4, "Grown.", Override(value=Decimal(4), reason="Grown.")),
    ],
)
def test_an_override_is_kept_removed_or_replaced(present, sends, value, reason, expected):
    value = None if value is None else Decimal(value)
    assert overridden(present, sends_value=sends, value=value, reason=reason) == expected


@pytest.mark.parametrize(
    ("value", "reason", "wrong"),
    [
        (3, None, "body.override_reason"),
        (3, "  ", "body.override_reason"),
        (None, "Because.", "body.override_reason"),
        (6, "Because.", "body.revenue_override"),
        ("1.999", "Because.", "body.revenue_override"),
    ],
)
def test_an_override_needs_a_score_and_a_reason(value, reason, wrong):
    value = None if value is None else Decimal(value)
    with pytest.raises(Invalid) as refused:
        overridden(BILLED_ELSEWHERE, sends_value=value is not None, value=value, reason=reason)
    assert locations(refused) == [wrong]
