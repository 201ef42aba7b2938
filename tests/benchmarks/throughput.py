"""Rounds: on a broker filled anew, ours and each peer one after another over the same events."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stream.settings import Settings
from stream.tools.produce import produce_lines
from stream.tools.shop_bulk import bulk_events
from tests.benchmarks import ours
from tests.benchmarks.peers.catalogue import PEERS, Peer
from tests.benchmarks.peers.restore import restores
from tests.benchmarks.peers.run import PeerError, Work, measure
from tests.benchmarks.peers.truth import totals_of_events
from tests.benchmarks.results import OURS, Restored, Result
from tests.benchmarks.setting import (
    SEED,
    BrokerKind,
    fill_topic,
    running_broker,
    worker_settings,
)

#: Of the peers that give back their state from a changelog.
RESTORED = ("kafka-streams", "kafka-streams-eos", "quix", "faust-documented")
#: A million customers need a few purchases more, as the number of returns is left to chance.
EVENTS_PER_RESTORED_CUSTOMER = 1.1

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sized:
    """So many events of so many customers."""

    events: int
    customers: int

    def lines(self) -> list[bytes]:
        """The events in order of arrival; the same each time."""
        arriving = bulk_events(customers=self.customers, events=self.events, seed=SEED)
        return [delivery.line for delivery in arriving]

    def of(self, events: int) -> Sized:
        """Fewer events, with as many of them to a customer."""
        return Sized(events, max(1, round(self.customers * events / self.events)))


class Filled:
    """A broker and the topics in it; each is filled when it is first asked for."""

    def __init__(self, broker: str, size: Sized, folder: Path, say: Say) -> None:
        self.broker = broker
        self._size = size
        self._folder = folder
        self._say = say
        self._works: dict[str, Work] = {}
        self._ours: tuple[Settings, dict[str, str], Path] | None = None

    def work(self, events: int, *, alone: str = "") -> Work:
        """A single topic with so many of the events; ``alone`` gives a peer one of its own."""
        name = f"events-{events}{alone}"
        if name not in self._works:
            self._say(f"filling {name}")
            lines = self._size.of(events).lines()
            fill_topic(self.broker, name, lines)
            self._works[name] = Work(self.broker, name, events, totals_of_events(lines))
        return self._works[name]

    def ours(self) -> tuple[Settings, dict[str, str], Path]:
        """The three topics of our worker, filled, and a file with the same events."""
        if self._ours is None:
            self._say("filling our topics")
            settings, environ = worker_settings(self.broker)
            lines = self._size.lines()
            raw = self._folder / "events.jsonl"
            raw.write_bytes(b"\n".join(lines) + b"\n")
            produce_lines(settings.kafka, lines, settings.source_topics)
            self._ours = settings, environ, raw
        return self._ours


@contextmanager
def filled_broker(kind: BrokerKind, size: Sized, say: Say) -> Iterator[Filled]:
    """A broker of its own for the block."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        running_broker(kind) as broker,
    ):
        yield Filled(broker, size, Path(folder), say)


def run_round(
    filled: Filled, kind: BrokerKind, names: list[str], size: Sized, say: Say
) -> Iterator[Result]:
    """One run of each; a failure is a result too."""
    peers = {peer.name: peer for peer in PEERS}
    for name in names:
        if name == OURS:
            yield _run_ours(filled, kind, size, say)
        else:
            yield _run_peer(filled, kind, peers[name], size, say)


def _run_ours(filled: Filled, kind: BrokerKind, size: Sized, say: Say) -> Result:
    settings, environ, raw = filled.ours()
    say("ours")
    try:
        measured = ours.measure(settings, environ, "bench-ours", size.events, raw)
    except ours.OurError as error:
        return Result(OURS, kind, size.events, failure=str(error))
    return Result(OURS, kind, size.events, measured)


def _run_peer(filled: Filled, kind: BrokerKind, peer: Peer, size: Sized, say: Say) -> Result:
    events = peer.events(size.events)
    if peer.missing:
        return Result(peer.name, kind, events, failure=peer.missing)
    work = filled.work(events)
    say(peer.title)
    try:
        return Result(peer.name, kind, events, measure(peer, work))
    except PeerError as error:
        return Result(peer.name, kind, events, failure=str(error))


def run_restores(customers: int, names: list[str], times: int, say: Say) -> Iterator[Restored]:
    """Ours and each peer that restores: so many starts on an empty disk, on Apache Kafka."""
    size = Sized(int(customers * EVENTS_PER_RESTORED_CUSTOMER), customers)
    peers = {peer.name: peer for peer in PEERS}
    for name in names:
        # One at a time: each leaves a changelog, and its topic gets new events.
        with filled_broker("kafka", size, say) as filled:
            if name == OURS:
                yield from _restore_ours(filled, size, times, say)
            elif name in RESTORED:
                yield from _restore_peer(filled, peers[name], size, times, say)


def _restore_ours(filled: Filled, size: Sized, times: int, say: Say) -> Iterator[Restored]:
    settings, environ, _ = filled.ours()
    environ = {**environ, "RETENTION_APP_ID": "bench-restore"}
    try:
        say("ours, before its restarts")
        ours.measure(settings, environ, "bench-restore", size.events)
        for _ in range(times):
            say("ours, restarted")
            yield Restored(OURS, size.customers, ours.measure_restore(settings, environ))
    except (ours.OurError, RuntimeError) as error:
        yield Restored(OURS, size.customers, failure=str(error))


def _restore_peer(
    filled: Filled, peer: Peer, size: Sized, times: int, say: Say
) -> Iterator[Restored]:
    events = peer.events(size.events)
    customers = size.of(events).customers
    if peer.missing:
        yield Restored(peer.name, customers, failure=peer.missing)
        return
    work = filled.work(events, alone=f"-{peer.name}")
    say(f"{peer.title}, and its restarts")
    purchase = next(line for line in size.of(events).lines() if line.startswith(b'{"type":"purch'))
    seconds: list[float] = []
    try:
        restores(peer, work, purchase, times, seconds.append)
    except PeerError as error:
        yield Restored(peer.name, customers, failure=str(error))
    else:
        yield from (Restored(peer.name, customers, each) for each in seconds)
