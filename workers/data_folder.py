"""Which data folder a command is about, and the settings that hold there."""

import os
from pathlib import Path
from typing import Annotated

import typer

from models.logs import configure_logs
from models.settings import Settings, settings
from workers.stack import settings_here

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="The data folder; .throughline if not said.")
]


def base_settings(data_dir: Path | None) -> Settings:
    """The settings with the data folder made absolute, for this process and those it starts."""
    if data_dir is not None:
        os.environ["THROUGHLINE_DATA_DIR"] = str(data_dir)
        settings.cache_clear()
    found = settings()
    return found.model_copy(update={"data_dir": found.data_dir.expanduser().resolve()})


def settings_of(data_dir: Path | None) -> Settings:
    """The settings, pointed at what runs in the data folder."""
    base_settings(data_dir)
    here = settings_here()
    configure_logs(here)
    return here
