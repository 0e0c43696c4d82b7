"""QBRs: who may still change one, and which of its sections the client's portal shows.

Source: clients/qbrs.yaml, rules.statuses, rules.preparation.visibility_default and schema
QbrPortalVisibility.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from models.rules.clients.vocabulary import QbrStatus

CONTENT_VERSION: Final = 1
LONGEST_LIST: Final = 8
"""How many entries a list of a prepared QBR holds at most."""


class QbrSection(StrEnum):
    """The sections of a QBR's content."""

    EXECUTIVE_SUMMARY = "executive_summary"
    PERFORMANCE = "performance"
    WINS = "wins"
    CHALLENGES = "challenges"
    GOALS = "goals"
    RECOMMENDATIONS = "recommendations"
    DISCUSSION_POINTS = "discussion_points"
    NEXT_STEPS = "next_steps"


_HIDDEN_AT_FIRST = frozenset({QbrSection.CHALLENGES, QbrSection.DISCUSSION_POINTS})


class QbrPreparation(StrEnum):
    """What a prepared QBR was made from."""

    AI = "ai"
    RESULTS = "results"


def _at_first() -> dict[QbrSection, bool]:
    return {section: section not in _HIDDEN_AT_FIRST for section in QbrSection}


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalVisibility:
    """Whether the portal shows a QBR, and which of its sections; at first it does not."""

    visible: bool = False
    sections: Mapping[QbrSection, bool] = field(default_factory=_at_first)


def is_final(status: QbrStatus) -> bool:
    """Tell whether nothing can be done to a QBR any more, neither editing nor presenting."""
    return status is QbrStatus.PRESENTED


def merged(
    present: PortalVisibility, *, visible: bool | None, sections: Mapping[QbrSection, bool]
) -> PortalVisibility:
    """Change what was sent, key by key, and nothing else."""
    return PortalVisibility(
        visible=present.visible if visible is None else visible,
        sections={**present.sections, **sections},
    )


def is_shown(status: QbrStatus, visibility: PortalVisibility) -> bool:
    """Tell whether the client's portal shows a QBR."""
    return visibility.visible and status is QbrStatus.PRESENTED
