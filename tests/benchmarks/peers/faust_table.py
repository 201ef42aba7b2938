"""Stock Faust with a table, as documented (one event at a time) or tuned (in batches).

``-m tests.benchmarks.peers.faust_table BROKER TOPIC EVENTS GROUP FOLDER WAY PARTITIONS``, where
WAY is ``documented`` or ``tuned``.
"""

from __future__ import annotations

import sys
from typing import Any

import faust
import msgspec

from tests.benchmarks.peers.job import Customer, Progress, updated

BATCH = 2_000
TUNED = {
    "stream_buffer_maxsize": 65_536,
    "consumer_max_fetch_size": 4 * 1024 * 1024,
    "producer_linger": 0.02,
    "producer_max_batch_size": 1024 * 1024,
}


class Order(faust.Record, serializer="json"):  # type: ignore[call-arg] # Faust is untyped here
    """What the documented way declares of an event."""

    type: str
    customer_id: str
    occurred_at: str
    amount: str = "0"


def main() -> None:
    """Run one worker of the app until SIGTERM."""
    broker, topic, events, group, folder, way, partitions = sys.argv[1:]
    app = faust.App(
        group,
        broker=f"kafka://{broker}",
        datadir=folder,
        web_enabled=False,
        topic_partitions=int(partitions),
        **(TUNED if way == "tuned" else {}),
    )
    customers = app.Table(
        "customers",
        key_type=str,
        partitions=int(partitions),
        # In a batch there is no current event whose partition a change could go to.
        use_partitioner=way == "tuned",
    )
    progress = Progress(int(events))
    if way == "tuned":
        _count_in_batches(app, topic, customers, progress)
    else:
        _count_one_by_one(app, topic, customers, progress)
    faust.Worker(app, loglevel="info", redirect_stdouts=False).execute_from_commandline()


def _count_one_by_one(app: Any, topic: str, customers: Any, progress: Progress) -> None:  # noqa: ANN401 - Faust is untyped
    orders = app.topic(topic, value_type=Order)

    @app.agent(orders)  # type: ignore[untyped-decorator] # likewise
    async def count(stream: Any) -> None:  # noqa: ANN401 - likewise
        async for order in stream:
            progress.seen()
            if order.type == "purchase":
                customers[order.customer_id] = updated(
                    customers.get(order.customer_id), order.asdict()
                )


def _count_in_batches(app: Any, topic: str, customers: Any, progress: Progress) -> None:  # noqa: ANN401 - Faust is untyped
    orders = app.topic(topic, value_type=bytes, value_serializer="raw")
    decode = msgspec.json.decode

    @app.agent(orders)  # type: ignore[untyped-decorator] # likewise
    async def count(stream: Any) -> None:  # noqa: ANN401 - likewise
        async for batch in stream.take(BATCH, within=0.5):
            changed: dict[str, Customer] = {}
            for event in map(decode, batch):
                if event["type"] == "purchase":
                    customer = event["customer_id"]
                    before = changed.get(customer) or customers.get(customer)
                    changed[customer] = updated(before, event)
            for customer, state in changed.items():
                customers[customer] = state
            progress.seen(len(batch))


if __name__ == "__main__":
    main()
