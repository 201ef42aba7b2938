"""The floor: consume, decode and update a dict in a bare loop; no framework, nothing durable.

Runs as a process of its own: ``python -m tests.benchmarks.floor BROKER EVENTS``.
"""

from __future__ import annotations

import asyncio
import sys
import time

import msgspec
import psutil
from aiokafka import AIOKafkaConsumer

from stream.settings import load_settings


async def consume(broker: str, events: int) -> int:
    """Keep first and last time, orders and revenue of every customer; how many there are."""
    consumer = AIOKafkaConsumer(
        *load_settings({}).source_topics,
        bootstrap_servers=broker,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    state: dict[str | None, tuple[str, str, int, float]] = {}
    decode = msgspec.json.decode
    seen = 0
    while seen < events:
        for records in (await consumer.getmany(timeout_ms=100)).values():
            for record in records:
                event = decode(record.value)
                time, amount = event["occurred_at"], float(event.get("amount", 0))
                first, _, orders, revenue = state.get(event["customer_id"], (time, time, 0, 0.0))
                state[event["customer_id"]] = (first, time, orders + 1, revenue + amount)
            seen += len(records)
    await consumer.stop()
    return len(state)


def main() -> None:
    """Print wall seconds, CPU seconds and peak memory of one run."""
    broker, events = sys.argv[1], int(sys.argv[2])
    process = psutil.Process()
    started, before = time.perf_counter(), process.cpu_times()
    asyncio.run(consume(broker, events))
    after = process.cpu_times()
    cpu_seconds = after.user + after.system - before.user - before.system
    print(time.perf_counter() - started, cpu_seconds, process.memory_info().rss)


if __name__ == "__main__":
    main()
