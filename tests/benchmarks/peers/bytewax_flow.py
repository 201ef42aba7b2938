"""Bytewax as its documentation writes a stateful dataflow, with recovery to local SQLite files.

``-m tests.benchmarks.peers.bytewax_flow BROKER TOPIC EVENTS GROUP FOLDER``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSourceMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from tests.benchmarks.peers.job import Customer, Progress, say, updated


class Nowhere(StatelessSinkPartition[Any]):
    """A dataflow must have an output; here the state is what is wanted."""

    def write_batch(self, items: list[Any]) -> None:
        """Drop them."""


class NowhereSink(DynamicSink[Any]):
    """See ``Nowhere``."""

    def build(self, _step_id: str, _worker_index: int, _worker_count: int) -> Nowhere:
        """One for each worker."""
        return Nowhere()


def main() -> None:
    """Run until the end of the topic."""
    broker, topic, events, _group, folder = sys.argv[1:]
    progress = Progress(int(events))

    def purchase(
        message: KafkaSourceMessage[bytes | None, bytes | None],
    ) -> tuple[str, dict[str, Any]] | None:
        progress.seen()
        event = json.loads(message.value or b"")
        return (event["customer_id"], event) if event["type"] == "purchase" else None

    def count(customer: Customer | None, event: dict[str, Any]) -> tuple[Customer, Customer]:
        after = updated(customer, event)
        return after, after

    flow = Dataflow("customers")
    messages = kop.input("orders", flow, brokers=[broker], topics=[topic], tail=False)
    purchases = op.filter_map("purchases", messages.oks, purchase)
    op.output("out", op.stateful_map("count", purchases, count), NowhereSink())
    init_db_dir(Path(folder), 1)
    cli_main(flow, recovery_config=RecoveryConfig(folder))
    say("done")


if __name__ == "__main__":
    main()
