"""The recalculation: what a client's scores become when its revenue and adoption are new.

Source: clients/tier_scores.yaml, rules.recalculation. Only active clients with a track are scored;
the human scores and the override are taken as they are.
"""

from dataclasses import dataclass
from decimal import Decimal

from models.rules.clients.tiers import Scores, Scoring, score
from models.rules.clients.vocabulary import ClientStatus, Tier, TierTrack


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a client has been scored so far."""

    track: TierTrack
    human: Scores
    override: Decimal | None
    revenue_score: int | None
    adoption: Decimal | None
    tier_score: Decimal | None
    tier: Tier | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescoring:
    """How a client is scored now.

    `differs` asks for the row to be written, `updated` and `tier_changed` for it to be counted.
    """

    scoring: Scoring
    revenue_score: int
    adoption: Decimal | None
    differs: bool
    updated: bool
    tier_changed: bool


def is_recalculated(status: ClientStatus, track: TierTrack | None) -> bool:
    """Tell whether the recalculation touches a client."""
    return status is ClientStatus.ACTIVE and track is not None


def rescored(standing: Standing, *, revenue_score: int, adoption: Decimal | None) -> Rescoring:
    """Score a client anew; `adoption` is None on the delivery track."""
    scoring = score(
        standing.track,
        revenue_score=revenue_score,
        override=standing.override,
        human=standing.human,
        adoption=adoption,
    )
    # A stored adoption of the other track is no difference: it stays for when that track is back.
    adoption_moved = adoption is not None and adoption != standing.adoption
    updated = revenue_score != standing.revenue_score or scoring.tier_score != standing.tier_score
    tier_changed = scoring.tier is not standing.tier
    return Rescoring(
        scoring=scoring,
        revenue_score=revenue_score,
        adoption=adoption,
        differs=updated or tier_changed or adoption_moved,
        updated=updated,
        tier_changed=updated and tier_changed,
    )
