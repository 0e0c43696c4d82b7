"""What a data folder knows about its stack: ports, secrets, who runs it.

`stack.json` outlives the stack, so that it comes back on the same ports; a lock that the kernel
releases with its holder says whether it runs now.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from models.settings import Settings, settings
from workers import postgres
from workers.processes import LOOPBACK, ProcessId, free_port, make_private

TEMPORAL_PORT = 7233
TEMPORAL_UI_PORT = 8233
POSTGRES_PORT = 5433
PLATFORMS_PORT = 8090


class StackRunning(RuntimeError):
    """Another process runs the stack of this data folder."""

    def __init__(self, record: "StackRecord | None") -> None:
        where = f"its API is {record.api_url} (pid {record.pid})" if record else "it is starting"
        super().__init__(f"the stack of this data folder runs already: {where}")
        self.record = record


class StackRecord(BaseModel):
    """Where the stack of a data folder is, or was."""

    model_config = ConfigDict(extra="ignore")

    pid: int
    postgres_port: int
    temporal_port: int
    temporal_ui_port: int
    api_port: int
    platforms_port: int | None = None
    """Where the demo's platforms are, when they are part of the stack."""
    children: dict[str, ProcessId] = Field(default_factory=dict)

    @property
    def api_url(self) -> str:
        return f"http://{LOOPBACK}:{self.api_port}"

    @property
    def temporal_ui_url(self) -> str:
        return f"http://{LOOPBACK}:{self.temporal_ui_port}"

    @property
    def temporal_address(self) -> str:
        return f"{LOOPBACK}:{self.temporal_port}"

    @classmethod
    def load(cls, data_dir: Path) -> "StackRecord | None":
        """The record of the folder, when it has a readable one."""
        try:
            return cls.model_validate_json((data_dir / "stack.json").read_bytes())
        except (OSError, ValueError):
            return None

    def save(self, data_dir: Path) -> None:
        write_private(data_dir / "stack.json", self.model_dump_json(indent=2))


class StackSecrets(BaseModel):
    """Passwords and keys that only this folder's processes know."""

    owner_password: str = Field(default_factory=lambda: secrets.token_urlsafe(24))
    app_password: str = Field(default_factory=lambda: secrets.token_urlsafe(24))
    cursor_secret: str = Field(default_factory=lambda: secrets.token_urlsafe(32))

    @classmethod
    def of(cls, data_dir: Path) -> "StackSecrets":
        """The folder's secrets, made on first use."""
        path = data_dir / "secrets.json"
        if path.exists():
            return cls.model_validate_json(path.read_bytes())
        made = cls()
        write_private(path, made.model_dump_json())
        return made


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def choose_ports(data_dir: Path, base: Settings, *, platforms: bool = False) -> StackRecord:
    """The folder's earlier ports, else the usual ones, else whatever is free."""
    earlier = StackRecord.load(data_dir)

    def port(name: str, usual: int) -> int:
        return free_port(getattr(earlier, name, None), usual)

    return StackRecord(
        pid=os.getpid(),
        postgres_port=port("postgres_port", POSTGRES_PORT),
        temporal_port=port("temporal_port", TEMPORAL_PORT),
        temporal_ui_port=port("temporal_ui_port", TEMPORAL_UI_PORT),
        api_port=port("api_port", base.api_port),
        platforms_port=port("platforms_port", PLATFORMS_PORT) if platforms else None,
    )


def open_data_dir(base: Settings) -> Path:
    """The data folder, made when missing, closed to other users."""
    data_dir = base.data_dir.expanduser().resolve()
    make_private(data_dir)
    return data_dir


@contextmanager
def sole_stack(data_dir: Path) -> Iterator[None]:
    """Hold the folder's lock; raises `StackRunning` when somebody else does."""
    with (data_dir / "stack.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackRunning(StackRecord.load(data_dir)) from None
        yield


def running_stack(data_dir: Path) -> StackRecord | None:
    """The record of the folder's stack while some process holds its lock."""
    lock_file = data_dir / "stack.lock"
    if not lock_file.exists():
        return None
    with lock_file.open("r") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return StackRecord.load(data_dir)
    return None


def embedded_environment(data_dir: Path, record: StackRecord) -> dict[str, str]:
    """The THROUGHLINE_* variables of the stack's own processes; the owner's password is not one."""
    known = StackSecrets.of(data_dir)
    database = postgres.url(postgres.APPLICATION, known.app_password, record.postgres_port)
    return {
        "THROUGHLINE_MODE": "embedded",
        "THROUGHLINE_DATA_DIR": str(data_dir),
        "THROUGHLINE_DATABASE_URL": database,
        "THROUGHLINE_TEMPORAL_ADDRESS": record.temporal_address,
        "THROUGHLINE_API_HOST": LOOPBACK,
        "THROUGHLINE_API_PORT": str(record.api_port),
        "THROUGHLINE_PUBLIC_URL": record.api_url,
        "THROUGHLINE_CURSOR_SECRET": known.cursor_secret,
    }


def owner_url(data_dir: Path, record: StackRecord) -> str:
    """The URL that migrations use."""
    password = StackSecrets.of(data_dir).owner_password
    return postgres.url(postgres.OWNER, password, record.postgres_port)


def settings_here() -> Settings:
    """The settings, pointed at the data folder's running stack where nothing else is set."""
    base = settings()
    if base.mode == "deployment":
        return base
    data_dir = base.data_dir.expanduser().resolve()
    record = running_stack(data_dir)
    if record is None:
        return base
    for name, value in embedded_environment(data_dir, record).items():
        os.environ.setdefault(name, value)
    settings.cache_clear()
    return settings()
