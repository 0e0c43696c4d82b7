"""Secrets that a deployment makes for itself: a file in the data folder, made once."""

import os
from pathlib import Path

SECRET_BYTES = 32


def kept_secret(path: Path) -> bytes:
    """Read the secret of this file, which is made where it is missing; only its owner reads it."""
    if not path.exists():
        _create(path)
    return path.read_bytes()


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(os.urandom(SECRET_BYTES))
    try:
        # Of several processes that make it at once one wins, and all read the same.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
