"""The worker process: polls every queue, and drains when it is told to stop."""

import asyncio
import logging
import signal
from datetime import timedelta
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from models.errors import DomainError
from models.settings import Settings
from workers.container import build_container
from workers.memory import keep_what_is_loaded
from workers.registry import Queue, queues
from workers.sandbox import production_runner
from workers.schedules import ensure_schedules
from workflows.client import connect

DRAIN: Final = timedelta(seconds=20)
CONCURRENT_STEPS: Final = 200

_log = structlog.get_logger("workers.worker")


def temporal_runtime(settings: Settings) -> Runtime:
    """The SDK's core: its warnings in our log, its metrics for Prometheus where configured."""
    address = settings.worker_metrics_address
    forwarding = LogForwardingConfig(
        logger=logging.getLogger("temporalio.core"),
        append_target_to_name=False,
        prepend_target_on_message=False,
    )
    telemetry = TelemetryConfig(
        logging=LoggingConfig(
            filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding
        ),
        metrics=PrometheusConfig(bind_address=address) if address else None,
    )
    return Runtime(telemetry=telemetry)


def build_worker(temporal: Client, queue: Queue, *, task_queue: str | None = None) -> Worker:
    """A worker with the settings that were measured to serve latency and recovery best."""
    pollers = PollerBehaviorAutoscaling(minimum=1, maximum=40, initial=5)
    return Worker(
        temporal,
        task_queue=task_queue or queue.name,
        workflows=queue.workflows,
        activities=queue.activities(),
        workflow_runner=production_runner(),
        workflow_task_poller_behavior=pollers,
        activity_task_poller_behavior=pollers,
        max_concurrent_activities=CONCURRENT_STEPS,
        # Nothing goes by it; without one the SDK hashes every module for seconds at the start.
        build_id="throughline",
        # After a kill, whoever waits for a workflow waits this long for its old worker.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        max_heartbeat_throttle_interval=timedelta(seconds=1),
        default_heartbeat_throttle_interval=timedelta(seconds=1),
        graceful_shutdown_timeout=DRAIN,
        workflow_failure_exception_types=[DomainError],
    )


async def run_worker(settings: Settings, stop: asyncio.Event | None = None) -> None:
    """Work until SIGTERM or SIGINT (or `stop`), then finish what runs, at most `DRAIN` long."""
    stop = stop or _stop_on_signals()
    temporal = await connect(settings, runtime=temporal_runtime(settings))
    container = build_container(settings, temporal)
    await ensure_schedules(temporal)
    try:
        # A queue without workflows and steps has nothing to poll for.
        built = [
            build_worker(temporal, queue)
            for queue in queues(container)
            if queue.workflows or queue.activities()
        ]
        keep_what_is_loaded()
        async with asyncio.TaskGroup() as group:
            for worker in built:
                group.create_task(worker.run())
            _log.info("worker started", queues=[worker.task_queue for worker in built])
            await stop.wait()
            _log.info("worker drains", seconds=DRAIN.total_seconds())
            for worker in built:
                group.create_task(worker.shutdown())
    finally:
        await container.close()
        _log.info("worker stopped")


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
