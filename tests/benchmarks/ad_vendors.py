"""The fake ad platforms with large accounts: `-m tests.benchmarks.ad_vendors PORT CAMPAIGNS`."""

import sys
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import uvicorn

from workers.fakes.ad_accounts import AdAccount, FakeAd, FakeCampaign, Numbers
from workers.fakes.platforms import FakePlatforms, fake_platforms
from workers.processes import LOOPBACK


@dataclass(kw_only=True)
class LargeAccount(AdAccount):
    """An account that makes up each day once, so that what is measured is not the fake."""

    made: dict[tuple[str, date], Numbers] = field(default_factory=dict)

    def ad_day(self, campaign: FakeCampaign, ad: FakeAd, day: date) -> Numbers:
        key = (ad.id, day)
        if key not in self.made:
            self.made[key] = super().ad_day(campaign, ad, day)
        return self.made[key]


def platforms(campaigns: int) -> FakePlatforms:
    """Every account of ads with so many campaigns of one ad each, which run on all days."""
    today = datetime.now(UTC).date()
    found = fake_platforms(today)
    for vendor in found.vendors.values():
        account = getattr(vendor, "account", None)
        if isinstance(account, AdAccount):
            large: Any = LargeAccount(
                seed=account.seed, account_id=account.account_id, today=today, name=account.name,
                audience=account.audience, time_zone=account.time_zone, ads_each=1,
                campaign_count=campaigns, opened=today - timedelta(days=campaigns * 9 + 120),
            )  # fmt: skip
            vendor.account = large  # type: ignore[attr-defined]
    found.vendors["meta_ads"].polls_needed = 0  # type: ignore[index, attr-defined]
    return found


def main() -> None:
    port, campaigns = int(sys.argv[1]), int(sys.argv[2])
    uvicorn.run(
        platforms(campaigns).app, host=LOOPBACK, port=port, log_config=None, access_log=False,
        lifespan="off", ws="none",
    )  # fmt: skip


if __name__ == "__main__":
    main()
