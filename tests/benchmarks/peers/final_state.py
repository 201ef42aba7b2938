"""Reads what a peer has kept, from where it keeps it: proof that it did the job."""

from __future__ import annotations

import asyncio
import json
import pickle
import sqlite3
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from tests.benchmarks.peers.catalogue import Peer
from tests.benchmarks.peers.truth import Totals, totals_of_states

#: After so long without a record a changelog is taken to be read to its end. The embedded
#: broker's own answer about ends is wrong; reading too little is noticed, for the totals differ.
IDLE_MS = 2_000


def final_state(peer: Peer, broker: str, group: str, folder: Path, said: list[str]) -> Totals:
    """What the peer's state comes to.

    Raises:
        RuntimeError: when there is nothing to read.
    """
    if peer.state == "changelog":
        return totals_of_states(asyncio.run(_changelog(broker, group)).values())
    if peer.state == "bytewax":
        return _bytewax(folder)
    if peer.state == "pathway":
        return _pathway(folder)
    if not said:
        raise RuntimeError("it printed no totals")
    customers, orders, revenue = map(int, said)
    return Totals(customers, orders, revenue)


async def _changelog(broker: str, group: str) -> dict[bytes, bytes]:
    """The last value of every key in the group's changelog topic."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    try:
        topic = await _changelog_topic(broker, group)
        partitions = await _partitions(consumer, topic)
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        states: dict[bytes, bytes | None] = {}
        while fetched := await consumer.getmany(timeout_ms=IDLE_MS):
            for records in fetched.values():
                states.update((record.key, record.value) for record in records)
    finally:
        await consumer.stop()
    return {key: value for key, value in states.items() if value is not None}


async def _changelog_topic(broker: str, group: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        found = [name for name in await admin.list_topics() if group in name]
    finally:
        await admin.close()
    found = [name for name in found if "changelog" in name]
    if len(found) != 1:
        raise RuntimeError(f"it has {len(found)} changelog topics")
    return str(found[0])


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    await consumer._client.set_topics([topic])
    return [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]


def _bytewax(folder: Path) -> Totals:
    """Its snapshots: of each customer the one of the latest epoch."""
    customers, orders, revenue = 0, 0, 0
    for path in folder.glob("*.sqlite3"):
        with sqlite3.connect(path) as database:
            rows = database.execute(
                "SELECT ser_change, max(snap_epoch) FROM snaps"
                " WHERE step_id LIKE '%count%' GROUP BY step_id, state_key"
            )
            for pickled, _epoch in rows:
                state = pickle.loads(pickled)  # noqa: S301 - written by our own child just now
                customers += 1
                orders += state["orders"]
                revenue += state["revenue"]
        database.close()
    return Totals(customers, orders, revenue)


def _pathway(folder: Path) -> Totals:
    """The last row of its totals: those before it were taken back."""
    lines = (folder / "totals.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["diff"] == 1]
    if not rows:
        raise RuntimeError("it wrote no totals")
    last = max(rows, key=lambda row: int(row["time"]))
    return Totals(last["customers"], last["orders"], last["revenue"])
