"""How long a peer needs to be back after it has lost its disk."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

from stream.settings import KafkaConnection
from stream.tools.record_producer import RecordProducer
from tests.benchmarks.peers.catalogue import Peer
from tests.benchmarks.peers.run import START_SECONDS, Running, Work, await_committed, check
from tests.benchmarks.setting import PARTITIONS

#: Slower than this and something hangs.
LEAST_CUSTOMERS_PER_SECOND = 1_000.0


def restores(
    peer: Peer, work: Work, a_purchase: bytes, times: int, tell: Callable[[float], None]
) -> None:
    """Count all events once, then start anew on an empty folder so many times.

    Args:
        work: its topic is to be the peer's alone, because new events are put into it.
        a_purchase: what is put into every partition before a start.
        tell: told the seconds of each start: from the start of the process until one new event of
            every partition was counted, which no peer does before it has its state.

    Raises:
        PeerError: when the peer fails, or has not got the right state to begin with.
    """
    group = f"{peer.name}-{uuid.uuid4().hex[:6]}"
    with tempfile.TemporaryDirectory(prefix="bench-peer-") as parent:
        folder = Path(parent) / "state"
        _run(peer, work, group, folder, work.events, work.events)
        check(peer, work, group, folder, [])
        for time in range(1, times + 1):
            shutil.rmtree(folder)
            _send_to_every_partition(work, a_purchase)
            tell(_run(peer, work, group, folder, PARTITIONS, work.events + time * PARTITIONS))


def _run(peer: Peer, work: Work, group: str, folder: Path, new: int, committed: int) -> float:
    folder.mkdir()
    running = Running(peer, work, group, folder, new)
    try:
        patience = START_SECONDS + work.events / LEAST_CUSTOMERS_PER_SECOND
        seconds = running.await_moment("last", patience) - running.started
        running.ask_to_end()
        await_committed(running, work.broker, work.topic, group, committed)
        running.await_end()
    finally:
        running.kill()
    return seconds


def _send_to_every_partition(work: Work, event: bytes) -> None:
    with RecordProducer(KafkaConnection(work.broker), [work.topic]) as producer:
        for partition in range(PARTITIONS):
            producer.send_record(work.topic, b"a customer", event, partition=partition)
