"""One PostgreSQL and one Temporal dev server for a whole test session, xdist workers included.

Whoever needs a server first starts it, under a file lock, and notes it in a shared folder. The
session's main process stops both and removes the folder at the end.
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from activities.llm.prices import PRICES
from models.tables import Base
from workers import postgres
from workers.migrate import migrate
from workers.processes import Child, ProcessId, free_port
from workers.temporal_server import TemporalServer

FOLDER_VARIABLE = "THROUGHLINE_TEST_SERVERS"
TEMPLATE = "throughline_template"
PASSWORD = "only-for-tests"

# A Popen that is collected while its process runs warns, and here warnings are errors.
_started: list[Child] = []


def open_folder() -> Path:
    """Make the shared folder; processes started from here on find it in their environment."""
    folder = Path(tempfile.mkdtemp(prefix="throughline-tests-"))
    folder.chmod(0o711)
    os.environ[FOLDER_VARIABLE] = str(folder)
    return folder


def close_folder(folder: Path) -> None:
    """Stop what was started, PostgreSQL without ceremony: its data goes anyway."""
    for note in sorted(folder.glob("*.json")):
        content = json.loads(note.read_text())
        process = ProcessId(pid=content["pid"], started=content["started"]).find()
        if process is not None:
            how = signal.SIGQUIT if note.stem == "postgres" else signal.SIGKILL
            process.send_signal(how)
            process.wait(10)
    os.environ.pop(FOLDER_VARIABLE, None)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _once(name: str, start: Callable[[Path], tuple[Child, int]]) -> int:
    folder = Path(os.environ[FOLDER_VARIABLE])
    note = folder / f"{name}.json"
    with _alone(folder, name):
        if not note.exists():
            child, port = start(folder)
            _started.append(child)
            identity = child.identity
            content = {"pid": identity.pid, "started": identity.started, "port": port}
            note.write_text(json.dumps(content))
        port = json.loads(note.read_text())["port"]
        assert isinstance(port, int)
        return port


# Of this process; all of them go with the cluster.
_idle: list[str] = []
_FILLED: LiteralString = " union all ".join(
    f"select '{table}' where exists (select from {table})"
    for table in Base.metadata.tables
    if table != "price"
)


class _Changed(Exception):
    """The database is no longer like a fresh one."""


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _empty(db: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Delete every row that migrations have not put there."""
    if db.execute("select count(*) from price").fetchone() != (len(PRICES),):
        raise _Changed
    filled = [name for (name,) in db.execute(sql.SQL(_FILLED)).fetchall()]
    # Without the checks of references, in any order; nobody waits for a session that was left.
    db.execute("set session_replication_role = replica; set lock_timeout = '1s'")
    with db.pipeline():
        for name in filled:
            db.execute(sql.SQL("delete from {}").format(sql.Identifier(name)))


class Postgres:
    """The session's cluster: databases are copies of one that alembic has migrated."""

    def __init__(self) -> None:
        self.port = _once("postgres", _start_postgres)

    def owner_url(self, database: str = TEMPLATE) -> str:
        return postgres.url(postgres.OWNER, PASSWORD, self.port, database)

    def app_url(self, database: str) -> str:
        return postgres.url(postgres.APPLICATION, PASSWORD, self.port, database)

    def create_database(self) -> str:
        """A fresh, migrated database; returns its name."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
        return name

    def borrow_database(self) -> str:
        """A database like a fresh one: one that was given back, or else a new copy."""
        return _idle.pop() if _idle else self.create_database()

    def give_back(self, name: str) -> None:
        """Empty a database for the next test; one that resists is dropped.

        Emptying takes a tenth of the time of copying.
        """
        try:
            with psycopg.connect(_plain(self.owner_url(name)), autocommit=True) as db:
                _empty(db)
        except (psycopg.Error, _Changed):
            self.drop_database(name)
        else:
            _idle.append(name)

    def drop_database(self, name: str) -> None:
        self.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        )

    def execute(self, statement: sql.Composed) -> None:
        with _cluster(self.port).connect() as db:
            db.execute(statement)


def temporal_address() -> str:
    """The session's Temporal dev server."""
    return f"127.0.0.1:{_once('temporal', _start_temporal)}"


def _cluster(port: int, folder: Path = Path("/unused")) -> postgres.Postgres:
    return postgres.Postgres(
        data=folder / "postgres",
        log=folder / "postgres.log",
        port=port,
        owner_password=PASSWORD,
        durable=False,
    )


def _start_postgres(folder: Path) -> tuple[Child, int]:
    cluster = _cluster(free_port(), folder)
    child = cluster.start()
    cluster.ensure_application(PASSWORD, TEMPLATE)
    migrate(postgres.url(postgres.OWNER, PASSWORD, cluster.port, TEMPLATE))
    return child, cluster.port


def _start_temporal(folder: Path) -> tuple[Child, int]:
    server = TemporalServer(port=free_port(), log=folder / "temporal.log")
    return server.start(), server.port
