"""The API: its services, what every request passes through, and the areas with their routes."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from temporalio.client import Client

from activities.people.stripe_accounts import StripeAccounts
from activities.platforms.answers import Answering, ResultAnswers
from activities.platforms.connectors import Connectors
from activities.platforms.keys import Keys
from activities.ports import Billing
from api import agents, people, platforms, results
from api.http import health, problems
from api.http.access_log import AccessLog
from api.http.entry import entered
from api.http.feeds import Feeds
from api.http.gateway import Gateway
from api.http.keys import FileKeys, JwksKeys
from api.http.limits import RateLimiter
from api.http.lists import Lists
from api.http.paging import cursor_secret
from api.http.routing import Routing
from api.http.services import Services, Temporal
from api.http.tokens import Verifier
from api.openapi import document
from models.db.database import Database
from models.db.listen import Hub
from models.db.vault import lazy_vault
from models.queries.records.events import CHANNEL
from models.settings import Settings

AREAS: tuple[APIRouter, ...] = (
    health.router,
    agents.router,
    # Before the people, whose clients are addressed by ids: the first address that fits is taken.
    platforms.router,
    people.router,
    results.router,
)


def services_from(
    settings: Settings,
    *,
    billing: Billing,
    answering: Answering,
    connectors: Connectors,
    database: Database | None = None,
    temporal: Client | None = None,
) -> Services:
    """Make what the API needs, around the adapters it is given; nothing is contacted yet."""
    hub = Hub(settings.database_url, CHANNEL)
    keys = (
        JwksKeys(settings.jwks_url)
        if settings.jwks_url
        else FileKeys(settings.signing_key_file or settings.data_dir / "signing_key.pem")
    )
    database = database or Database(settings.database_url, settings.database_pool_size)
    vault = lazy_vault(settings)
    return Services(
        settings=settings,
        database=database,
        temporal=Temporal(settings, temporal),
        hub=hub,
        feeds=Feeds(hub),
        verifier=Verifier(keys, issuer=settings.jwt_issuer, audience=settings.jwt_audience),
        limiter=RateLimiter(settings.rate_limit_per_minute),
        cursor_secret=cursor_secret(settings),
        answers=ResultAnswers(database, answering, max_output_tokens=settings.max_output_tokens),
        stripe=StripeAccounts(billing, vault),
        connectors=connectors,
        keys=Keys(database, vault, connectors),
    )


def create_app(services: Services) -> FastAPI:
    """The application over its services; it listens for events while it lives."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        here: Services = app.state.services
        await here.hub.start()
        try:
            with _draining(here.hub):
                yield
        finally:
            await here.hub.stop()
            await here.stripe.close()
            await here.connectors.close()

    app = described(lifespan=lifespan)
    app.state.services = services
    app.add_middleware(
        Gateway,
        routing=app.state.routing,
        log=AccessLog(services.settings),
        limit=services.settings.api_max_body_bytes,
    )
    return app


def described(**options: Any) -> FastAPI:
    """The routes and the grammar, without services: enough to describe the API."""
    app = FastAPI(
        title="Throughline",
        dependencies=[Depends(entered)],
        redirect_slashes=False,
        **options,
    )
    for router in AREAS:
        app.include_router(router)
    app.state.routing = Routing(app)
    app.router.routes.insert(0, Lists(app, app.state.routing))
    problems.install(app)
    app.openapi = lambda: _documented(app)  # type: ignore[method-assign]
    return app


def _documented(app: FastAPI) -> dict[str, Any]:
    if not app.openapi_schema:
        app.openapi_schema = document(app)
    return app.openapi_schema


class _draining:
    """Ends the open streams when the process is told to go.

    The server waits for every answer before it leaves, and a stream is an answer without an end.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.getsignal(number)
            if not callable(before):
                continue
            try:
                signal.signal(number, self._leave)
            except ValueError:
                return  # Not the main thread, which gets no signals either.
            self._before[number] = before

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _leave(self, number: int, frame: FrameType | None) -> None:
        self._hub.drain()
        self._before[number](number, frame)
