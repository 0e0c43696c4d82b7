"""What callers send about QBRs: one to record, an edit, the date of the next."""

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from api.http.bodies import Day, Omissible, SnakePatch, left_out
from api.http.wire import Flag, Snake
from api.people.qbrs.schemas import (
    CONTENT_EXAMPLE,
    QbrChallenge,
    QbrContent,
    QbrGoal,
    QbrNextStep,
    QbrPerformance,
    QbrRecommendation,
    QbrWin,
)
from models.queries.people.qbrs_write import QbrEdit
from models.rules.clients.qbrs import QbrSection

_TEXT: Final = 20_000
_LIST: Final = Field(max_length=50, description="Drafts hold at most 8, people add to them.")

Text = Annotated[str, Field(max_length=_TEXT)]
Attendee = Annotated[str, Field(min_length=1, max_length=200)]


class QbrIn(Snake):
    """A QBR that was held, or is planned."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "date": "2026-03-10",
                    "attendees": ["Mara Lind", "Jo Park"],
                    "summary": "Revenue from search grew while spend stayed level.",
                    "outcomes": "The summer budget is agreed.",
                    "next_qbr_date": "2026-06-10",
                    "granola_meeting_id": None,
                }
            ]
        }
    )

    date: Day
    attendees: list[Attendee] = Field(default=[], max_length=100, description="Their names.")
    summary: Text | None = None
    outcomes: Text | None = None
    next_qbr_date: Day | None = Field(None, description="Has to be after date.")
    granola_meeting_id: Annotated[str, Field(max_length=200)] | None = None


class QbrContentIn(QbrContent):
    """A QBR section by section, as a person has edited it; ids in it are not looked up."""

    performance: list[QbrPerformance] = _LIST
    wins: list[QbrWin] = _LIST
    challenges: list[QbrChallenge] = _LIST
    goals: list[QbrGoal] = _LIST
    recommendations: list[QbrRecommendation] = _LIST
    discussion_points: list[str] = _LIST
    next_steps: list[QbrNextStep] = _LIST


_Shown = Field(default_factory=left_out)


class QbrSectionsIn(Snake):
    """Sections to show in the client's portal, or to hide; those left out stay as they are."""

    executive_summary: Omissible[Flag] = _Shown
    performance: Omissible[Flag] = _Shown
    wins: Omissible[Flag] = _Shown
    challenges: Omissible[Flag] = _Shown
    goals: Omissible[Flag] = _Shown
    recommendations: Omissible[Flag] = _Shown
    discussion_points: Omissible[Flag] = _Shown
    next_steps: Omissible[Flag] = _Shown


class QbrVisibilityIn(Snake):
    """What the client's portal shows; what is left out stays as it is."""

    visible: Omissible[Flag] = _Shown
    sections: Omissible[QbrSectionsIn] = Field(default_factory=left_out)


class QbrPatch(SnakePatch):
    """What may be changed of a QBR until it is presented; null clears a text or the content."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "outcomes": "The summer budget is agreed.",
                    "content": CONTENT_EXAMPLE,
                    "portal_visibility": {"visible": True, "sections": {"challenges": True}},
                }
            ]
        }
    )

    summary: Text | None = Field(default_factory=left_out)
    outcomes: Text | None = Field(default_factory=left_out)
    content: QbrContentIn | None = Field(
        default_factory=left_out, description="Replaces the whole content."
    )
    portal_visibility: Omissible[QbrVisibilityIn] = Field(
        default_factory=left_out, description="Merged key by key."
    )

    def edit(self) -> QbrEdit:
        """The change that was sent."""
        values: dict[str, Any] = self.sent()
        visibility = values.pop("portal_visibility", None) or QbrVisibilityIn()
        if self.content is not None:
            values["content"] = self.content.model_dump(mode="json")
        sections = visibility.sections or QbrSectionsIn()
        return QbrEdit(
            values=values,
            visible=visibility.visible,
            sections={
                QbrSection(name): getattr(sections, name) for name in sections.model_fields_set
            },
        )


class PresentIn(Snake):
    """When the next QBR will be; nothing has to be said."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"next_qbr_date": "2026-06-10"}]})

    next_qbr_date: Day | None = Field(
        None, description="Has to be after the day on which this one counts as presented."
    )
