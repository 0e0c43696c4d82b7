"""What the API is given: the database, the way to Temporal, the door, the events' fan-out."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection
from temporalio.client import Client

from activities.people.stripe_accounts import StripeAccounts
from activities.platforms.answers import ResultAnswers
from activities.platforms.connectors import Connectors
from activities.platforms.keys import Keys
from api.http.feeds import Feeds
from api.http.limits import RateLimiter
from api.http.tokens import Verifier
from models.db.database import Database
from models.db.listen import Hub
from models.settings import Settings
from workflows.client import connect


class Temporal:
    """The way to Temporal's client; nothing is sent before the first command.

    The API starts and answers reads while Temporal is down.
    """

    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        self._settings = settings
        self._client = client

    async def client(self) -> Client:
        """The process's one client; its own first call connects it."""
        if self._client is None:
            self._client = await connect(self._settings, lazy=True, patience=timedelta(0))
        return self._client


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a request may need; made once a process."""

    settings: Settings
    database: Database
    temporal: Temporal
    hub: Hub
    feeds: Feeds
    verifier: Verifier
    limiter: RateLimiter
    cursor_secret: bytes
    stripe: StripeAccounts
    answers: ResultAnswers
    connectors: Connectors
    keys: Keys


def services_of(request: HTTPConnection) -> Services:
    """The services of the application that got the request."""
    services: Services = request.app.state.services
    return services


async def _services(request: HTTPConnection) -> Services:
    return services_of(request)


Given = Annotated[Services, Depends(_services)]
