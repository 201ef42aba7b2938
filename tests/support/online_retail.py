"""UCI Online Retail as events: real orders of 2010 and 2011, kept outside the repository."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

FILE_NAME = "online_retail_events.jsonl.gz"
_BESIDE_THE_REPOSITORY = Path(__file__).parents[3] / "shared" / "data"


def online_retail_path() -> Path:
    """The file, in the folder RETENTION_TEST_DATA names or in ``../shared/data``.

    Skips the test when it is in neither: the data may not be distributed with the project.
    """
    folder = os.environ.get("RETENTION_TEST_DATA")
    path = (Path(folder) if folder else _BESIDE_THE_REPOSITORY) / FILE_NAME
    if not path.is_file():
        pytest.skip(f"{FILE_NAME} is not there: name its folder in RETENTION_TEST_DATA")
    return path


def online_retail_lines() -> list[bytes]:
    """Every event of the file, in its order."""
    with gzip.open(online_retail_path()) as file:
        return [line.rstrip(b"\n") for line in file]
