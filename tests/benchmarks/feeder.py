"""Sends a file of events to Kafka at a steady rate, as producers elsewhere would.

``-m tests.benchmarks.feeder BROKER FILE RATE EVENTS`` in the environment of confluent-kafka, the
only client that is quick enough to load our worker without taking a core for itself. The file is
sent from its beginning again when it ends. Prints one line: records sent, and seconds taken.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from confluent_kafka import Producer

TICK_SECONDS = 0.01
CLIENT = {
    "linger.ms": 5,
    # As Kafka's own clients do; the default of this one is another hash.
    "partitioner": "murmur2_random",
    "queue.buffering.max.messages": 500_000,
    "enable.idempotence": True,
}
_CUSTOMER = b'"customer_id":"'


def main() -> None:
    """Send so many events, and wait for every acknowledgement."""
    broker, path, rate, events = sys.argv[1:]
    records = _records(Path(path))
    producer = Producer({"bootstrap.servers": broker, **CLIENT})
    started, sent, total = time.perf_counter(), 0, int(events)
    while sent < total:
        due = min(total, int((time.perf_counter() - started) * float(rate))) - sent
        for topic, key, line in islice(records, due):
            while True:
                try:
                    producer.produce(topic, line, key)
                    break
                except BufferError:
                    producer.poll(TICK_SECONDS)
        sent += due
        producer.poll(0)
        time.sleep(TICK_SECONDS)
    if producer.flush(60):
        raise RuntimeError("not every event was acknowledged")
    print(sent, time.perf_counter() - started, flush=True)


def _records(path: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """Topic, key and value of every event, over and over; the file may be larger than memory."""
    while True:
        with path.open("rb") as file:
            for line in file:
                event = line.rstrip()
                yield (*_address(event), event)


def _address(line: bytes) -> tuple[str, bytes]:
    """Topic and key; by place, for this is a generator's file and nothing else."""
    start = line.index(_CUSTOMER) + len(_CUSTOMER)
    key = line[start : line.index(b'"', start)]
    kind = line[9:15]
    topic = {b"purcha": "purchases", b"signup": "signups"}.get(kind, "returns")
    return topic, key


if __name__ == "__main__":
    main()
