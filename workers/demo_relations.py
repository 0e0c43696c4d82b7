"""What the demo agency and its clients have done with each other: people, work, reviews, wins."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from models.ids import derived_id
from models.rules.clients.qbrs import PortalVisibility
from models.rules.vocabulary import Role
from workers.tenants import DEMO

Row = dict[str, Any]

NORTHWIND: Final = derived_id("demo-company", "northwind")
HARBOUR: Final = derived_id("demo-company", "harbour")
DELIVERY_MANAGER: Final = DEMO.humans[Role.MEMBER].id
_GROUP: Final = derived_id("demo-company", "northwind-group")
_LUMEN: Final = derived_id("demo-company", "lumen")


class Relations:
    """What has happened until `today`, by table."""

    def __init__(self, today: date) -> None:
        self._today = today
        self.last_qbr = today - timedelta(days=70)

    def at(self, days_ago: int, hour: int = 10) -> datetime:
        """A moment that many days before today."""
        return datetime.combine(self._today - timedelta(days=days_ago), time(hour), UTC)

    def companies(self) -> list[Row]:
        northwind = {"name": "Northwind Cycles", "website": "https://northwind-cycles.example"}
        return [
            {"id": _GROUP, "name": "Northwind Group"},
            {"id": NORTHWIND, **northwind, "parent_company_id": _GROUP},
            {"id": HARBOUR, "name": "Harbour Coffee", "website": "https://harbour.example"},
            {"id": _LUMEN, "name": "Lumen Dental", "website": "https://lumen-dental.example"},
        ]

    def contacts(self) -> list[Row]:
        people = (
            (NORTHWIND, "Ines Roth", "ines@northwind-cycles.example", "Head of Marketing", True),
            (NORTHWIND, "Tom Vale", "tom@northwind-cycles.example", "E-commerce lead", False),
            (HARBOUR, "Sam Okoye", "sam@harbour.example", "Founder", True),
            (_LUMEN, "Dr. Mia Lang", "mia@lumen-dental.example", "Practice owner", True),
        )
        return [
            {
                "id": derived_id("demo-contact", name),
                "company_id": company_id,
                "name": name,
                "email": email,
                "title": title,
                "is_primary": is_primary,
                "last_interaction_at": self.at(9),
            }
            for company_id, name, email, title, is_primary in people
        ]

    def projects(self) -> list[Row]:
        return [
            _named("project", NORTHWIND, "Spring range launch", status="active"),
            _named("project", NORTHWIND, "Shop relaunch", status="completed"),
            _named("project", HARBOUR, "Subscription campaign", status="active"),
        ]

    def deals(self) -> list[Row]:
        return [
            _named("deal", NORTHWIND, "Dealer programme", status="open"),
            _named("deal", HARBOUR, "Retainer renewal", status="open"),
        ]

    def meetings(self) -> list[Row]:
        held = (
            (NORTHWIND, 12, "Launch check-in",
             "Ines is happy with the first spring posts. Tom asks for product feed fixes."),
            (NORTHWIND, 41, "Monthly review",
             "Organic visits grew. They want to hear about dealers next time."),
            (HARBOUR, 16, "Subscription stand-up",
             "Sam worries that subscribers cancel in the second month. Budget is tight."),
        )  # fmt: skip
        return [
            {
                "id": derived_id("demo-meeting", company_id, title),
                "company_id": company_id,
                "title": title,
                "held_on": self._today - timedelta(days=days_ago),
                "notes": notes,
            }
            for company_id, days_ago, title, notes in held
        ]

    def goals(self) -> list[Row]:
        set_ = (
            (NORTHWIND, "Newsletter subscribers", "5000", "3800", "4700", "people", "quarter"),
            (NORTHWIND, "Test rides booked", "120", "60", "126", "bookings", "month"),
            (HARBOUR, "Subscription cancellations", "30", "50", "47", "a month", "month"),
        )
        return [
            {
                "id": _goal_id(metric),
                "company_id": company_id,
                "metric": metric,
                "target": Decimal(target),
                "baseline": Decimal(baseline),
                "current_value": Decimal(current),
                "unit": unit,
                "period": period,
                "achieved_at": self.at(20) if metric == "Test rides booked" else None,
                "created_by": DELIVERY_MANAGER,
                "created_at": self.at(68),
            }
            for company_id, metric, target, baseline, current, unit, period in set_
        ]

    def wins(self) -> list[Row]:
        return [
            {
                "id": derived_id("demo-win", "test rides"),
                "company_id": NORTHWIND,
                "title": "Test rides booked: 126 of 120",
                "outcome_text": "The booking page brought more test rides than planned.",
                "won_at": self._today - timedelta(days=20),
                "linked_goal_id": _goal_id("Test rides booked"),
                "source": "goal",
                "status": "confirmed",
                "created_at": self.at(20),
            },
            {
                "id": derived_id("demo-win", "launch"),
                "company_id": NORTHWIND,
                "title": "Spring range launched on the planned day",
                "project_id": derived_id("demo-project", NORTHWIND, "Spring range launch"),
                "won_at": self._today - timedelta(days=14),
                "source": "manual",
                "status": "confirmed",
                "created_by": DELIVERY_MANAGER,
                "created_at": self.at(14),
            },
        ]

    def qbrs(self) -> list[Row]:
        visibility = PortalVisibility(visible=True)
        return [
            {
                "id": derived_id("demo-qbr", "northwind"),
                "company_id": NORTHWIND,
                "held_on": self.last_qbr,
                "status": "presented",
                "attendees": ["Ines Roth", "Tom Vale", "Milo Demo"],
                "summary": "A good winter: more visits, and the shop relaunch went smoothly.",
                "outcomes": "Put test rides first in spring; prepare a dealer programme.",
                "portal_visibility": {
                    "visible": visibility.visible,
                    "sections": {str(name): on for name, on in visibility.sections.items()},
                },
                "presented_at": self.at(70, 15),
                "presented_by": DELIVERY_MANAGER,
                "created_by": DELIVERY_MANAGER,
                "created_at": self.at(71),
            }
        ]

    def success_profiles(self) -> list[Row]:
        return [
            {
                "id": derived_id("demo-profile", "northwind"),
                "company_id": NORTHWIND,
                "financial_year_start": "04-01",
                "financial_year_end": "03-31",
                "key_trading_periods": [
                    {"name": "Spring", "start": "03-01", "end": "05-31", "note": None}
                ],
                "channel_online_pct": Decimal(60),
                "channel_instore_pct": Decimal(40),
                "celebration_vision": "Every dealer knows us by name.",
                "growth_priorities_text": "Test rides, dealers, and repeat service customers.",
                "company_direction_text": "From seller of bicycles to partner of commuters.",
                "completed_at": self.at(360),
            }
        ]


def _goal_id(metric: str) -> str:
    return derived_id("demo-goal", metric)


def _named(kind: str, company_id: str, name: str, **values: Any) -> Row:
    row_id = derived_id(f"demo-{kind}", company_id, name)
    return {"id": row_id, "company_id": company_id, "name": name, **values}
