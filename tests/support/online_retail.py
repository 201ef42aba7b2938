"""UCI Online Retail as events: real orders of 2010 and 2011, kept outside the repository."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

#: Customers who first bought in December 2010 (the first figure) and, of them, those who bought in
#: each month since: as published with the data set's analyses.
DECEMBER_2010 = (885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235)

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


def cohort_ages(
    samples: Iterable[tuple[str, Mapping[str, str], float]], cohort: str
) -> tuple[float, ...]:
    """Customers of a cohort of the shop by age in months, out of any gauges."""
    ages = {
        int(labels["age"]): value
        for name, labels, value in samples
        if name == "retention_cohort_customers"
        and (labels["store"], labels["cohort"]) == ("uci", cohort)
    }
    return tuple(ages[age] for age in range(len(ages)))


def online_retail_lines() -> list[bytes]:
    """Every event of the file, in its order."""
    with gzip.open(online_retail_path()) as file:
        return [line.rstrip(b"\n") for line in file]
