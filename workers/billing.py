"""Stripe for a process: apart from the other adapters, which the API has no use for."""

from activities.connectors.stripe import StripeBilling
from activities.people.stripe_accounts import StripeAccounts
from activities.ports import Billing
from models.db.vault import lazy_vault
from models.settings import Settings


def build_billing(settings: Settings) -> Billing:
    """The billing system that tenants connect their accounts of."""
    return StripeBilling(settings.stripe_base_url)


def build_stripe(settings: Settings) -> StripeAccounts:
    """The way to the tenants' Stripe accounts."""
    return StripeAccounts(build_billing(settings), lazy_vault(settings))
