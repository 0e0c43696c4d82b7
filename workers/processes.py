"""Child processes of the embedded stack: started apart from the terminal, stopped in order.

Children get a session of their own, so that Ctrl-C reaches the supervisor alone, which then stops
them one after the other. Each is known by its pid *and* its start time: a pid alone may have
been given to somebody else since.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessId:
    """One process, for good: pids are reused, start times are not."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "ProcessId":
        return cls(pid=pid, started=psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """The process, when it still lives."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 1.0
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAs:
    """The user a program runs as, by Popen's own means or by a command in front of it."""

    uid: int | None = None
    gid: int | None = None
    prefix: tuple[str, ...] = ()

    def popen(self, argv: Sequence[str], **kwargs: object) -> "subprocess.Popen[bytes]":
        """Start `argv` from the root folder, which every user can enter."""
        if self.uid is not None and not self.prefix:
            kwargs |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.Popen([*self.prefix, *argv], cwd="/", **kwargs)  # type: ignore[call-overload, no-any-return]

    def owns(self, path: Path) -> None:
        """Give `path` to the user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


@dataclass(slots=True, kw_only=True)
class Child:
    """One running program and its log."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    identity: ProcessId = field(init=False)

    def __post_init__(self) -> None:
        self.identity = ProcessId.of(self.process.pid)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self, how: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> None:
        """Ask it to end, wait, and end it by force when it does not."""
        if self.alive:
            self.process.send_signal(how)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)

    def last_words(self, lines: int = 15) -> str:
        """The end of its log, for the message that says why it died."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""


def spawn(
    name: str,
    argv: Sequence[str],
    log: Path,
    *,
    run_as: RunAs | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Child:
    """Start a program in a session of its own, its output appended to `log`."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    options: dict[str, object] = {
        "start_new_session": True,
        "stdin": subprocess.DEVNULL,
        "umask": 0o077,
    }
    if env is not None:
        options["env"] = dict(env)
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
        options |= {"stdout": output, "stderr": subprocess.STDOUT}
        if run_as is not None:
            process = run_as.popen(argv, **options)
        else:
            process = subprocess.Popen(argv, cwd=cwd, **options)  # type: ignore[call-overload]
    return Child(name=name, process=process, log=log)


def program(name: str) -> str:
    """A program that a wheel installed beside this interpreter, or one on the PATH."""
    beside = Path(sysconfig.get_path("scripts")) / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"the program {name} is missing; install the requirements again")
    return found


def make_private(folder: Path) -> None:
    """Make a folder that other users cannot look into.

    Root's may be passed through, because PostgreSQL's user has a folder of its own inside.
    """
    if not folder.exists():
        folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True)


def free_port(*preferred: int | None, host: str = LOOPBACK) -> int:
    """The first of the preferred ports that nobody listens on, or one that the system picks."""
    for port in (*preferred, 0):
        if port is None:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As servers do: a port whose last connections are still closing is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise OSError(f"no free port on {host}")


def end_leftovers(identities: Sequence[ProcessId], patience: float = 10.0) -> list[int]:
    """End processes of an earlier supervisor that was killed; returns the pids that still ran."""
    left = [process for identity in identities if (process := identity.find()) is not None]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=patience)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    return [process.pid for process in left]


def processes_in(folder: Path, name: str) -> list[psutil.Process]:
    """Processes called `name` that work in `folder`."""
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] != name:
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if Path(process.cwd()) == folder:
                found.append(process)
    return found


def wait_for_port(port: int, child: Child, patience: float) -> None:
    """Wait until `child` listens on `port`; raises with its last words when it dies first."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not child.alive:
            raise RuntimeError(f"{child.name} ended at its start:\n{child.last_words()}")
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 0.5):
            return
        time.sleep(0.03)
    raise RuntimeError(f"{child.name} did not open port {port} in {patience:.0f} s")


def user_named(*names: str) -> pwd.struct_passwd | None:
    """The first of these users that the machine has."""
    for name in names:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None
