"""The Temporal dev server from its wheel, set for latency, fairness and a durable file."""

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workers.processes import LOOPBACK, Child, program, spawn, wait_for_port

SEARCH_ATTRIBUTES: Final = ("TenantId", "CampaignId", "Kind", "State")

_TRIES: Final = 3
_PORT_TAKEN: Final = "address already in use"

# Untouched, every workflow task waits for a 50 ms tick of a queue processor, fairness does not
# hold across the partitions of a queue, and one update too many at a workflow (the default is 10)
# throws away the task that answers the others.
_DYNAMIC_CONFIG: Final = (
    "history.transferProcessorMaxPollRPS=2000",
    "history.timerProcessorMaxPollRPS=2000",
    "history.visibilityProcessorMaxPollRPS=2000",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
    "matching.enableFairness=true",
    "history.maxInFlightUpdates=1000",
)


@dataclass(slots=True, kw_only=True)
class TemporalServer:
    """One dev server; without a file it keeps everything in memory."""

    port: int
    log: Path
    database: Path | None = None
    ui_port: int | None = None

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def start(self) -> Child:
        """Start it and wait for its port; its frontend may need a moment longer."""
        for tries_left in reversed(range(_TRIES)):
            child = spawn("Temporal", self._argv(), self.log)
            try:
                wait_for_port(self.port, child, patience=30)
            except RuntimeError:
                child.stop(signal.SIGKILL)
                # It picks free ports for its parts, and somebody may be faster to take one.
                if not tries_left or _PORT_TAKEN not in child.last_words():
                    raise
            else:
                return child
        raise AssertionError("unreachable")

    def stop(self, child: Child) -> None:
        child.stop(signal.SIGTERM, patience=10)

    def _argv(self) -> list[str]:
        argv = [program("temporal"), "server", "start-dev", "--ip", LOOPBACK]
        argv += ["--port", str(self.port), "--log-level", "warn", "--log-format", "json"]
        argv += ["--ui-port", str(self.ui_port)] if self.ui_port else ["--headless"]
        if self.database is not None:
            argv += ["--db-filename", str(self.database)]
            argv += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"]
        for name in SEARCH_ATTRIBUTES:
            argv += ["--search-attribute", f"{name}=Keyword"]
        for entry in _DYNAMIC_CONFIG:
            argv += ["--dynamic-config-value", entry]
        return argv
