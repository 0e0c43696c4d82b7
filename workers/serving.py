"""The API with its adapters, which it never builds itself: `--factory workers.serving:build`."""

from fastapi import FastAPI

from api.app import create_app, services_from
from models.logs import configure_logs
from models.settings import settings
from workers.billing import build_billing
from workers.container import build_answering
from workers.platforms import build_connectors


def build() -> FastAPI:
    """Make the application by the settings of this process."""
    here = settings()
    configure_logs(here)
    services = services_from(
        here,
        billing=build_billing(here),
        answering=build_answering(here),
        connectors=build_connectors(here),
    )
    return create_app(services)
