"""What the engine must be told; frozen, no environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stream.domain.windows import Window


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The settings that decide what the numbers mean."""

    windows: tuple[Window, ...]
    dimensions: tuple[str, ...]
    timezone: str
    bucket_ms: int
    #: How far behind "as of" an event may be.
    horizon_ms: int
    #: Partitions of every topic; a customer lives in murmur2(id) modulo this.
    partitions: int
    #: Source topics in the order that breaks ties, then the rerouted topic.
    topics: tuple[str, ...]
    #: The internal topic of events that first came to the wrong partition.
    rerouted_topic: str
    clock: Literal["wall", "event"]
