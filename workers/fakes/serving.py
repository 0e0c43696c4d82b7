"""The platforms of the demo: every fake vendor at one local address, until it is stopped.

`python -m workers.fakes.serving PORT`. The embedded stack runs it beside the demo, whose client
is connected to what is served here.
"""

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from models.settings import Settings
from workers.fakes.ad_accounts import AdAccount
from workers.fakes.meta_ads import FakeMeta
from workers.fakes.platforms import FakePlatforms, fake_platforms, settings_at
from workers.fakes.shopify import FakeShopify
from workers.processes import LOOPBACK

CLIENT: Final = "Northwind Cycles"
_ENVIRONMENT: Final = "THROUGHLINE_"


def demo_platforms(today: date) -> FakePlatforms:
    """The client's accounts as they are known today, with the same past on each day of a year."""
    platforms = fake_platforms(today, name=CLIENT)
    for vendor in platforms.vendors.values():
        account = getattr(vendor, "account", None)
        if isinstance(account, AdAccount):
            account.opened = date(today.year - 1, 1, 1)
        if isinstance(vendor, FakeMeta):
            # Small reports are ready at once.
            vendor.polls_needed = 0
        if isinstance(vendor, FakeShopify):
            # As on Shopify's largest plan: a first sync is not throttled.
            vendor.bucket, vendor.restores = 20_000, 1000
    return platforms


class DemoPlatforms:
    """The fakes of the day on which they are asked."""

    def __init__(self, today: Callable[[], date]) -> None:
        self._today = today
        self._open(today())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (today := self._today()) != self._known_on:
            self._open(today)
        await self._app(scope, receive, send)
        # Tests look at what was asked; here nobody does.
        for vendor in self.platforms.vendors.values():
            vendor.calls.clear()

    def _open(self, today: date) -> None:
        self._known_on = today
        self.platforms = demo_platforms(today)
        self._app: ASGIApp = self.platforms.app


def demo_settings(settings: Settings, port: int) -> Mapping[str, str]:
    """What points the stack's processes at the fakes, as variables of their environment.

    A vendor of whom anything is set is the user's own, and stays real.
    """
    own = {_vendor(name) for name in settings.model_fields_set}
    return {
        f"{_ENVIRONMENT}{name.upper()}": value
        for name, value in settings_at(f"http://{LOOPBACK}:{port}").items()
        if _vendor(name) not in own
    }


def _vendor(setting: str) -> str:
    return setting.partition("_")[0]


def main() -> None:
    """Serve until the process is told to end."""
    uvicorn.run(
        DemoPlatforms(lambda: datetime.now(UTC).date()),
        host=LOOPBACK,
        port=int(sys.argv[1]),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
