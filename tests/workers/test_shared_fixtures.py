"""The fixtures that all other tests lean on do what they promise."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from temporalio import workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from models.db.database import Database


@workflow.defn(name="test.sleeper")
class Sleeper:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(days=90))
        return "awake"


async def test_a_fresh_database_is_migrated_and_owned_by_somebody_else(db: Database):
    async with db.system() as connection:
        tables = await connection.scalar(
            text("select count(*) from pg_tables where schemaname = 'public'")
        )
        owned = await connection.scalar(
            text("select count(*) from pg_tables where tableowner = current_user")
        )
    assert tables > 1
    assert owned == 0


async def test_the_application_cannot_change_the_schema(db: Database):
    async with db.system() as connection:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await connection.execute(text("create table public.mine (id int)"))


async def test_ninety_days_pass_in_a_moment(time_skipping: WorkflowEnvironment):
    queue = str(uuid.uuid4())
    runner = UnsandboxedWorkflowRunner()
    async with Worker(
        time_skipping.client, task_queue=queue, workflows=[Sleeper], workflow_runner=runner
    ):
        assert "awake" == await time_skipping.client.execute_workflow(
            Sleeper.run, id=queue, task_queue=queue
        )
