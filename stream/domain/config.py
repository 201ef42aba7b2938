"""What the engine must be told; frozen, no environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from stream.domain.lifecycle_rules import LifecycleRules
from stream.domain.pseudonyms import Pseudonyms
from stream.domain.windows import Window

EventType: TypeAlias = Literal["purchase", "signup", "return", "cancellation"]
EVENT_TYPES: tuple[EventType, ...] = ("purchase", "signup", "return", "cancellation")

#: Forms of events beside the canonical one.
Dialect: TypeAlias = Literal["segment", "cloudevents", "shopify", "woocommerce", "ga4"]
DIALECTS: tuple[Dialect, ...] = ("segment", "cloudevents", "shopify", "woocommerce", "ga4")
#: Of a topic: told apart record by record, none at all, or one and the canonical form.
TopicDialect: TypeAlias = Literal["auto", "canonical"] | Dialect
TOPIC_DIALECTS: tuple[TopicDialect, ...] = ("auto", "canonical", *DIALECTS)


@dataclass(frozen=True, slots=True)
class Experiment:
    """The dimension whose segments are the variants, and the variant to compare them with."""

    dimension: str
    control: str


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
    #: The dialect of each source topic; where there is none, dialects are told apart.
    dialects: Mapping[str, TopicDialect] = field(default_factory=dict)
    #: Names of events beside the platforms' own, and what they mean.
    event_names: tuple[tuple[str, EventType], ...] = ()
    #: Whether documents of a dialect that say nothing of orders or signups are no dead letters.
    ignore_not_used: bool = False
    #: When time changes a customer's stage.
    lifecycle: LifecycleRules = field(default_factory=LifecycleRules)
    #: Whether changes of stages are told as events.
    stage_events: bool = True
    #: The experiment to evaluate; its dimension is one of ``dimensions``.
    experiment: Experiment | None = None
    #: What customers' ids are replaced by in everything that is kept; None: they are kept.
    pseudonyms: Pseudonyms | None = None
