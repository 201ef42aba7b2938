"""Pathway as its documentation writes a grouped table, with persistence to a local folder.

``-m tests.benchmarks.peers.pathway_table BROKER TOPIC EVENTS GROUP FOLDER``, where it is installed.
"""

from __future__ import annotations

import sys

import pathway as pw

from tests.benchmarks.peers.job import say


class Event(pw.Schema):
    """What is read of an event."""

    type: str
    customer_id: str
    occurred_at: str
    amount: str = pw.column_definition(default_value="0")


def main() -> None:
    """Run until the end of the topic."""
    broker, topic, _events, group, folder = sys.argv[1:]
    events = pw.io.kafka.read(
        {"bootstrap.servers": broker, "group.id": group, "auto.offset.reset": "earliest"},
        topic,
        schema=Event,
        format="json",
        mode="static",
        name="events",
    )
    orders = events.filter(pw.this.type == "purchase").select(
        pw.this.customer_id,
        pw.this.occurred_at,
        revenue=pw.cast(int, (pw.this.amount.str.parse_float() * 100).num.round()),
    )
    customers = orders.groupby(pw.this.customer_id).reduce(
        pw.this.customer_id,
        first=pw.reducers.min(pw.this.occurred_at),
        last=pw.reducers.max(pw.this.occurred_at),
        orders=pw.reducers.count(),
        revenue=pw.reducers.sum(pw.this.revenue),
    )
    # A table must go somewhere: its sums, which also prove that it is right.
    totals = customers.reduce(
        customers=pw.reducers.count(),
        orders=pw.reducers.sum(pw.this.orders),
        revenue=pw.reducers.sum(pw.this.revenue),
    )
    pw.io.jsonlines.write(totals, f"{folder}/totals.jsonl")
    say("first")
    pw.run(
        monitoring_level=pw.MonitoringLevel.NONE,
        persistence_config=pw.persistence.Config(
            # Its input: keeping the operators' state instead needs a key from its makers.
            pw.persistence.Backend.filesystem(f"{folder}/state"),
        ),
    )
    say("done")


if __name__ == "__main__":
    main()
