"""The floor by aiokafka: consume, decode and update a dict in a bare loop; nothing is durable.

``-m tests.benchmarks.peers.floor_aiokafka BROKER TOPIC EVENTS GROUP FOLDER``.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec
from aiokafka import AIOKafkaConsumer

from tests.benchmarks.peers.job import Progress, say, say_totals


async def consume(broker: str, topic: str, events: int) -> None:
    """Keep first and last time, orders and revenue of every customer."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    customers: dict[str, tuple[str, str, int, int]] = {}
    decode = msgspec.json.decode
    progress, seen = Progress(events), 0
    while seen < events:
        for records in (await consumer.getmany(timeout_ms=100)).values():
            progress.seen(len(records))
            for record in records:
                event = decode(record.value)
                if event["type"] == "purchase":
                    time, amount = event["occurred_at"], round(float(event["amount"]) * 100)
                    customer = event["customer_id"]
                    first, last, orders, revenue = customers.get(customer, (time, time, 0, 0))
                    customers[customer] = (
                        min(first, time),
                        max(last, time),
                        orders + 1,
                        revenue + amount,
                    )
            seen += len(records)
    say("done")
    await consumer.stop()
    say_totals(
        len(customers), sum(c[2] for c in customers.values()), sum(c[3] for c in customers.values())
    )


if __name__ == "__main__":
    asyncio.run(consume(sys.argv[1], sys.argv[2], int(sys.argv[3])))
