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


async def consume(broker: str, events: int) -> dict[str, list[float]]:
    """First and last time, orders and revenue of every customer."""
    consumer = AIOKafkaConsumer(
        *load_settings({}).source_topics,
        bootstrap_servers=broker,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    state: dict[str, list[float]] = {}
    decode = msgspec.json.decode
    seen = 0
    while seen < events:
        for records in (await consumer.getmany(timeout_ms=100)).values():
            for record in records:
                event = decode(record.value)
                customer = state.get(event["customer_id"] or "")
                if customer is None:
                    customer = state[event["customer_id"] or ""] = [event["occurred_at"], "", 0, 0]
                customer[1] = event["occurred_at"]
                customer[2] += 1
                customer[3] += float(event.get("amount", 0))
            seen += len(records)
    await consumer.stop()
    return state


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
