"""Quix Streams as its documentation writes a stateful application: RocksDB and a changelog topic.

``-m tests.benchmarks.peers.quix_streams BROKER TOPIC EVENTS GROUP FOLDER``.
"""

from __future__ import annotations

import sys
from typing import Any

from quixstreams import Application, State

from tests.benchmarks.peers.job import Progress, updated


def main() -> None:
    """Run until SIGTERM."""
    broker, topic, events, group, folder = sys.argv[1:]
    app = Application(
        broker_address=broker,
        consumer_group=group,
        auto_offset_reset="earliest",
        state_dir=folder,
        loglevel="WARNING",
    )
    progress = Progress(int(events))

    def count(event: dict[str, Any], state: State) -> None:
        state.set("customer", updated(state.get("customer"), event))

    orders = app.dataframe(app.topic(topic, value_deserializer="json"))
    orders = orders.update(lambda _event: progress.seen())
    orders = orders[orders["type"] == "purchase"]
    orders.update(count, stateful=True)
    app.run()


if __name__ == "__main__":
    main()
