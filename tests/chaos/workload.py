"""What is sent, and to which partition: half of the shops' clients place events otherwise."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING

from stream.tools.event_address import Addresses
from stream.tools.shop_bulk import bulk_events
from stream.tools.shop_delivery import break_line
from stream.wire.partitioning import partitions_of
from tests.support.online_retail import online_retail_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from stream.settings import Settings

#: What every fault is tried on: a simulated shop, and the events of a real one.
DATA = ("shop", "online retail")
BURST_RECORDS = 500
WAYS_TO_BREAK = 5


@dataclass(frozen=True, slots=True)
class Sent:
    """One record as it is sent; ``offset`` is the one it will get, as nobody else sends there."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    line: bytes


@dataclass(frozen=True, slots=True)
class Placing:
    """How producers choose keys and partitions, as shares of the events.

    ``crc32`` is librdkafka's default partitioner; events without a key go anywhere. The rest go
    where Kafka's own clients send them.
    """

    crc32_share: float = 0.0
    keyless_share: float = 0.0


AS_KAFKA_CLIENTS = Placing()
#: Half of the producers place as librdkafka does, or send no key.
MIXED_CLIENTS = Placing(crc32_share=0.4, keyless_share=0.1)


def lines_of(data: str, events: int, *, seed: int, bad_share: float = 0.0) -> Sequence[bytes]:
    """The events of one of ``DATA``; the real shop's are as many as they are, and all good."""
    if data == "shop":
        return shop_lines(events, seed=seed, bad_share=bad_share)
    return online_retail_lines()


def shop_lines(events: int, *, seed: int, bad_share: float = 0.0) -> list[bytes]:
    """A simulated shop: late and doubled events among them; some are followed by a broken copy."""
    rng = random.Random(seed)
    lines = []
    for delivery in bulk_events(customers=max(1, events // 5), events=events, seed=seed):
        lines.append(delivery.line)
        if rng.random() < bad_share:
            lines.append(break_line(delivery.line, rng.randrange(WAYS_TO_BREAK)))
    return lines


def placed(
    lines: Iterable[bytes], settings: Settings, placing: Placing = AS_KAFKA_CLIENTS, *, seed: int
) -> list[Sent]:
    """The lines as records, in order of sending."""
    rng = random.Random(seed)
    offsets: defaultdict[tuple[str, int], count[int]] = defaultdict(count)
    records = []
    addresses = Addresses()
    for line in lines:
        index, key = addresses.of(line)
        topic = settings.source_topics[index]
        chosen = rng.random()
        if chosen < placing.keyless_share:
            key = None
        if key is None:
            partition = rng.randrange(settings.partitions)
        elif chosen < placing.keyless_share + placing.crc32_share:
            partition = zlib.crc32(key) % settings.partitions
        else:
            partition = _home(key, settings.partitions)
        offset = next(offsets[topic, partition])
        records.append(Sent(topic, partition, offset, key, line))
    return records


@lru_cache(maxsize=1 << 20)
def _home(key: bytes, partitions: int) -> int:
    return int(partitions_of([key], partitions)[0])


def interleaved(records: Sequence[Sent], *, seed: int) -> list[Sent]:
    """The same records, partitions in random bursts: within each the order stays."""
    rng = random.Random(seed)
    queues: defaultdict[tuple[str, int], list[Sent]] = defaultdict(list)
    for record in reversed(records):
        queues[record.topic, record.partition].append(record)
    result: list[Sent] = []
    while queues:
        source = rng.choice(list(queues))
        for _ in range(rng.randint(1, BURST_RECORDS)):
            result.append(queues[source].pop())
            if not queues[source]:
                del queues[source]
                break
    return result


def is_bad(line: bytes) -> bool:
    """Whether a line of this workload was broken on purpose: no worker can use it."""
    try:
        event = json.loads(line)
    except ValueError:
        return True
    return (
        event.get("type") not in {"purchase", "signup", "return", "cancellation"}
        or not isinstance(event.get("store", ""), str)
        or str(event.get("occurred_at", "on")).startswith("on")
    )


def write_lines(path: Path, records: Iterable[Sent]) -> Path:
    """The events in order of sending, for the oracle."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.writelines(record.line + b"\n" for record in records)
    return path
