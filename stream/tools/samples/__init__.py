"""Real purchases that ship with the package; README.md beside this file states their origin."""

from __future__ import annotations

import gzip
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = ("cdnow",)


def open_sample(name: str) -> Iterator[bytes]:
    """The events of a sample, sorted by event time: one JSON object each, without line ends.

    Raises:
        ValueError: when there is no such sample.
    """
    if name not in SAMPLES:
        raise ValueError(f"{name!r} is not a sample: choose {' or '.join(SAMPLES)}")
    return _lines(name)


def _lines(name: str) -> Iterator[bytes]:
    packed = files(__package__).joinpath(f"{name}.jsonl.gz")
    with packed.open("rb") as raw, gzip.open(raw) as lines:
        for line in lines:
            yield line.rstrip(b"\n")
