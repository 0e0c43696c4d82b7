"""Metrics and campaigns that a model's words are about, found among those that it was given.

Source: clients/common.yaml, rules.ai: what was not given is named by nobody. A metric that is
given for several currencies is, without one, that of the primary currency, which comes first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]


def metric_named(metrics: Sequence[Facts], key: str, currency: str | None) -> Facts | None:
    """The metric of this key and, where one is named, of this currency."""
    return next(
        (
            one
            for one in metrics
            if one["metric_key"] == key and currency in (None, one["currency"])
        ),
        None,
    )


def campaign_named(campaigns: Sequence[Facts], campaign_id: str, platform: str) -> Facts | None:
    """The campaign of this id on this platform."""
    return next(
        (
            one
            for one in campaigns
            if (one["campaign_id"], one["platform"]) == (campaign_id, platform)
        ),
        None,
    )
