"""A Faust app as its documentation writes one: a table, an agent that counts, default settings.

Runs as a process of its own: ``python -m tests.benchmarks.stock_faust_app BROKER APP TOPIC DIR``.
"""

from __future__ import annotations

import sys
from typing import Any

import faust


def main() -> None:
    """Run one worker of the app until it is killed."""
    broker, app_id, topic, folder = sys.argv[1:]
    app = faust.App(
        app_id,
        broker=f"kafka://{broker}",
        datadir=folder,
        # The only two that are not the defaults: nothing here listens, and the topic's partitions.
        web_enabled=False,
        topic_partitions=4,
    )
    orders = app.topic(topic, key_type=str, value_type=str)
    counts = app.Table("counts", key_type=str, value_type=int, default=int)

    @app.agent(orders)  # type: ignore[untyped-decorator] # Faust is untyped here
    async def count(stream: Any) -> None:  # noqa: ANN401 - likewise
        async for customer, _ in stream.items():  # noqa: PERF102 - a stream, not a dict
            counts[customer] += 1

    faust.Worker(app, loglevel="info").execute_from_commandline()


if __name__ == "__main__":
    main()
