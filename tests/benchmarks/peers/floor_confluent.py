"""The floor by confluent-kafka: consume, decode and update a dict in a bare loop.

``-m tests.benchmarks.peers.floor_confluent BROKER TOPIC EVENTS GROUP FOLDER``.
"""

from __future__ import annotations

import sys

import msgspec
from confluent_kafka import Consumer

from tests.benchmarks.peers.job import Progress, say, say_totals


def consume(broker: str, topic: str, events: int, group: str) -> None:
    """Keep first and last time, orders and revenue of every customer; nothing is durable."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    customers: dict[str, tuple[str, str, int, int]] = {}
    decode = msgspec.json.decode
    progress, seen = Progress(events), 0
    while seen < events:
        records = consumer.consume(10_000, timeout=0.1)
        if not records:
            continue
        progress.seen(len(records))
        for record in records:
            if record.error():
                raise RuntimeError(record.error().str())
            event = decode(record.value())
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
    consumer.close()
    say_totals(
        len(customers), sum(c[2] for c in customers.values()), sum(c[3] for c in customers.values())
    )


if __name__ == "__main__":
    consume(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
