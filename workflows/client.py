"""The one way to a Temporal client: converter, payload encryption, interceptors, first contact."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.runtime import Runtime

from models.errors import Unavailable
from models.settings import Settings
from workflows.codec import AesGcmCodec
from workflows.converter import PydanticConverter
from workflows.interceptors import DomainErrors

FIRST_CONTACT: Final = timedelta(seconds=15)


def data_converter(settings: Settings) -> DataConverter:
    """Pydantic's JSON; sealed, error messages and stack traces included, when a key is set."""
    plain = DataConverter(payload_converter_class=PydanticConverter)
    if settings.payload_key is None:
        return plain
    return replace(
        plain,
        payload_codec=AesGcmCodec.from_setting(settings.payload_key.get_secret_value()),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


async def connect(
    settings: Settings,
    *,
    runtime: Runtime | None = None,
    lazy: bool = False,
    patience: timedelta = FIRST_CONTACT,
) -> Client:
    """Connect, waiting out a server whose port is open but whose frontend is not healthy yet.

    With `lazy` nothing is sent before the first call, so a process may start without Temporal.
    """
    api_key = settings.temporal_api_key
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience.total_seconds()
    while True:
        try:
            return await Client.connect(
                settings.temporal_address,
                namespace=settings.temporal_namespace,
                api_key=api_key.get_secret_value() if api_key else None,
                tls=settings.temporal_tls,
                data_converter=data_converter(settings),
                interceptors=[DomainErrors()],
                runtime=runtime,
                lazy=lazy,
            )
        except RuntimeError as error:
            if loop.time() >= deadline:
                detail = f"Temporal at {settings.temporal_address} does not answer: {error}"
                raise Unavailable(detail, retry_after=5) from error
            await asyncio.sleep(0.1)
