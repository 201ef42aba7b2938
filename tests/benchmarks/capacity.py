"""On paper: what so many customers and events would need, from measured costs.

Nothing here is measured at that size; every line is a product or a quotient of figures that were
measured small, and says of which.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

EVENT_BYTES = 210
REPLICAS = 3
#: What a worker is loaded with, of the most it did: the rest is for catching up.
LOAD_SHARE = 0.6
#: Memory that is left free: restoring needs room for its records.
MEMORY_SHARE = 0.7
#: What one Kafka broker is trusted with, in and out together, before its replicas are counted.
BROKER_BYTES_PER_SECOND = 200e6
NETWORK_BYTES_PER_SECOND = 125e6
COMMIT_INTERVAL_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured on one worker.

    Args:
        events_per_second: from Kafka to committed offsets, all work done.
        bytes_per_customer: resident.
        changelog_bytes_per_customer: key and value.
        restored_per_second: customers, from records in memory to totals.
    """

    events_per_second: float
    bytes_per_customer: float
    changelog_bytes_per_customer: float
    restored_per_second: float
    worker_bytes: float = 24 * 2**30


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that is needed, and how it comes about."""

    name: str
    value: str
    arithmetic: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be needed, and what gives way first."""

    workers_for_events: int
    workers_for_memory: int
    restore_seconds: float
    needs: list[Need]
    first_to_give_way: str

    @property
    def workers(self) -> int:
        """As many as the harder of both asks for."""
        return max(self.workers_for_events, self.workers_for_memory)


def plan(costs: Costs, customers: float, events_per_second: float) -> Plan:
    """What so many customers and events a second would need."""
    for_events = math.ceil(events_per_second / (costs.events_per_second * LOAD_SHARE))
    state_bytes = customers * costs.bytes_per_customer
    for_memory = math.ceil(state_bytes / (costs.worker_bytes * MEMORY_SHARE))
    workers = max(for_events, for_memory)
    partitions = 2 ** math.ceil(math.log2(2 * workers))
    in_bytes = events_per_second * EVENT_BYTES
    # At worst every event of an interval is of another customer.
    changed = min(customers, events_per_second * COMMIT_INTERVAL_SECONDS)
    changelog_bytes = changed / COMMIT_INTERVAL_SECONDS * costs.changelog_bytes_per_customer
    through_bytes = REPLICAS * (in_bytes + changelog_bytes) + in_bytes
    brokers = max(REPLICAS, math.ceil(through_bytes / BROKER_BYTES_PER_SECOND))
    each = customers / workers
    reading = each * costs.changelog_bytes_per_customer / NETWORK_BYTES_PER_SECOND
    restore_seconds = max(each / costs.restored_per_second, reading)
    needs = [
        Need(
            "workers for the events",
            f"{for_events:,}",
            f"{events_per_second:,.0f} / ({costs.events_per_second:,.0f} x {LOAD_SHARE})",
        ),
        Need(
            "workers for the memory",
            f"{for_memory:,}",
            f"{customers:,.0f} x {costs.bytes_per_customer:,.0f} B = {state_bytes / 2**30:,.0f} GiB"
            f" / ({costs.worker_bytes / 2**30:,.0f} GiB x {MEMORY_SHARE})",
        ),
        Need("partitions", f"{partitions:,}", f"at least 2 x {workers:,}, a power of two"),
        Need(
            "Kafka, events in",
            f"{in_bytes / 1e6:,.0f} MB/s",
            f"{events_per_second:,.0f} x {EVENT_BYTES} B",
        ),
        Need(
            "Kafka, changelog in",
            f"{changelog_bytes / 1e6:,.0f} MB/s",
            f"{changed:,.0f} customers / {COMMIT_INTERVAL_SECONDS:g} s"
            f" x {costs.changelog_bytes_per_customer:,.0f} B, if all are different",
        ),
        Need(
            "Kafka brokers",
            f"{brokers:,}",
            f"{through_bytes / 1e6:,.0f} MB/s ({REPLICAS} copies, one reader)"
            f" / {BROKER_BYTES_PER_SECOND / 1e6:,.0f} MB/s",
        ),
        Need(
            "changelog on disk",
            f"{REPLICAS * customers * costs.changelog_bytes_per_customer / 1e12:,.2f} TB",
            f"{REPLICAS} x {customers:,.0f} x {costs.changelog_bytes_per_customer:,.0f} B,"
            " compacted",
        ),
        Need(
            "restore of one worker",
            f"{restore_seconds:,.0f} s",
            f"{each:,.0f} customers / {costs.restored_per_second:,.0f} a second,"
            f" or {reading:,.0f} s of a network of 1 Gbit/s",
        ),
    ]
    return Plan(for_events, for_memory, restore_seconds, needs, _first(for_events, for_memory))


def _first(for_events: int, for_memory: int) -> str:
    if for_memory > for_events:
        return (
            "memory: it asks for more workers than the events do, so state would have to leave "
            "memory, or the horizon to be shorter"
        )
    return "the rate: the events ask for more workers than their customers' memory does"
