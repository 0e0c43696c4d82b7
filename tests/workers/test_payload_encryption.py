"""Sealed payloads: unreadable for Temporal, readable for us, also after a key was rotated."""

import base64
import os
import uuid

import pytest
from cryptography.exceptions import InvalidTag
from pydantic import SecretStr
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from models.errors import Conflict, DomainError
from models.settings import Settings
from workflows.client import connect
from workflows.codec import ENCODING, AesGcmCodec


def key(name: str) -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"a secret brief"')


async def test_what_is_sealed_opens_to_what_it_was():
    codec = AesGcmCodec.from_setting(key("k1"))
    [sealed] = await codec.encode([PLAIN])
    assert sealed.metadata["encoding"] == ENCODING
    assert b"secret" not in sealed.SerializeToString()
    assert await codec.decode([sealed]) == [PLAIN]


async def test_a_rotated_key_still_opens_what_it_sealed():
    old, new = key("k1"), key("k2")
    [sealed] = await AesGcmCodec.from_setting(old).encode([PLAIN])
    rotated = AesGcmCodec.from_setting(f"{new},{old}")
    assert await rotated.decode([sealed]) == [PLAIN]
    [fresh] = await rotated.encode([PLAIN])
    assert fresh.metadata["key-id"] == b"k2"


async def test_what_was_never_sealed_stays_readable():
    codec = AesGcmCodec.from_setting(key("k1"))
    assert await codec.decode([PLAIN]) == [PLAIN]


async def test_a_changed_payload_does_not_open():
    codec = AesGcmCodec.from_setting(key("k1"))
    [sealed] = await codec.encode([PLAIN])
    sealed.data = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])
    with pytest.raises(InvalidTag):
        await codec.decode([sealed])


async def test_an_unknown_key_is_named():
    [sealed] = await AesGcmCodec.from_setting(key("k9")).encode([PLAIN])
    with pytest.raises(ValueError, match="k9"):
        await AesGcmCodec.from_setting(key("k1")).decode([sealed])


@pytest.mark.parametrize("setting", ["short:YWJj", "k:not base64!", ""])
def test_a_malformed_key_is_refused(setting: str):
    with pytest.raises(ValueError, match=r"32 bytes|base64|Incorrect padding"):
        AesGcmCodec.from_setting(setting)


@workflow.defn(name="test.confiding")
class Confiding:
    @workflow.run
    async def run(self, secret: str) -> str:
        if secret.startswith("refuse"):
            raise Conflict(secret)
        return secret.upper()


@pytest.fixture
async def sealing(temporal_address: str) -> Client:
    return await connect(
        Settings(temporal_address=temporal_address, payload_key=SecretStr(key("k1")))
    )


async def run(temporal: Client, secret: str) -> tuple[str, str]:
    queue = str(uuid.uuid4())
    worker = Worker(
        temporal,
        task_queue=queue,
        workflows=[Confiding],
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflow_failure_exception_types=[DomainError],
    )
    async with worker:
        handle = await temporal.start_workflow(Confiding.run, secret, id=queue, task_queue=queue)
        try:
            result = await handle.result()
        except WorkflowFailureError as error:
            result = str(error.cause)
        history = await handle.fetch_history()
        return result, history.to_json()


async def test_the_server_never_sees_arguments_and_results(sealing: Client):
    result, history = await run(sealing, "brief of a client")
    assert result == "BRIEF OF A CLIENT"
    for text in ("brief of a client", "BRIEF OF A CLIENT"):
        assert base64.b64encode(text.encode())[:20].decode() not in history
    assert base64.b64encode(ENCODING).decode() in history


async def test_the_server_never_sees_why_something_failed(sealing: Client):
    result, history = await run(sealing, "refuse the merger")
    assert "refuse the merger" in result
    assert "refuse the merger" not in history
    assert "CONFLICT" in history
