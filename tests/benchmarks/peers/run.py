"""Runs one peer over one topic, measures it, and proves that it did the job."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaConsumer
from kafka.errors import KafkaError

from stream.tools.child_process import ChildProcess
from tests.benchmarks.peers.catalogue import Peer
from tests.benchmarks.peers.final_state import final_state
from tests.benchmarks.peers.job import MARK
from tests.benchmarks.peers.tree import Tree
from tests.benchmarks.peers.truth import Totals
from tests.benchmarks.setting import Measured, committed_records

SAMPLE_SECONDS = 0.05
START_SECONDS = 120.0
END_SECONDS = 60.0
#: Slower than this and something hangs.
LEAST_EVENTS_PER_SECOND = 500.0


_NAMES_AN_ERROR = re.compile(r"(Caused by: )?[\w.$\[\]^-]*(Error|Exception)\b")


class PeerError(Exception):
    """A peer that failed, with the reason in one line."""


@dataclass(frozen=True, slots=True)
class Work:
    """A topic full of events, and what they must come to."""

    broker: str
    topic: str
    events: int
    truth: Totals


class Running:
    """A peer's process, and what it has told so far."""

    def __init__(self, peer: Peer, work: Work, group: str, folder: Path, events: int) -> None:
        command = peer.command(work.broker, work.topic, events, group, folder)
        self.peer = peer
        self.log = folder.with_name(f"{folder.name}.log")
        #: time of day of "first", "last" and "done", in seconds
        self.moments: dict[str, float] = {}
        self.totals: list[str] = []
        self.started = time.time()
        self._process = ChildProcess(peer.name, command, self.log)
        self._read = 0
        self._rest = b""
        self.tree = Tree(self._process.pid)

    def await_moment(self, name: str, seconds: float) -> float:
        """Wait until the peer has told of it, sampling meanwhile; its time of day.

        Raises:
            PeerError: when it takes too long or the process ends.
        """
        deadline = time.monotonic() + seconds
        while name not in self.moments:
            ended = self._process.exit_code is not None
            self._look()
            if name in self.moments:
                break
            if ended or time.monotonic() > deadline:
                how = f"ended ({self._process.exit_code})" if ended else f"hung for {seconds:.0f} s"
                raise PeerError(f"{how} before its {name} event: {self._last_words()}")
            time.sleep(SAMPLE_SECONDS)
        return self.moments[name]

    def ask_to_end(self) -> None:
        """Send SIGTERM and return at once."""
        os.kill(self._process.pid, signal.SIGTERM)

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        self._look()
        return self._process.exit_code is not None

    def await_end(self) -> None:
        """Wait until the process is gone; kill it when that takes too long."""
        deadline = time.monotonic() + END_SECONDS
        while not self.ended and time.monotonic() < deadline:
            time.sleep(SAMPLE_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it at once, if it still runs."""
        if self._process.exit_code is None:
            self._process.stop(signal.SIGKILL)
        self._look()

    def _look(self) -> None:
        self.tree.sample()
        with self.log.open("rb") as log:
            log.seek(self._read)
            new = log.read()
        self._read += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            if line.startswith(MARK.encode()):
                name, *rest = line.decode().removeprefix(MARK).split()
                if name == "totals":
                    self.totals = rest
                else:
                    self.moments.setdefault(name, float(rest[0]))

    def _last_words(self) -> str:
        return last_words(self.log.read_text(encoding="utf-8", errors="replace"))


def last_words(log: str) -> str:
    """The line of a log that says best why the program failed: the last that names an error."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(MARK)]
    named = [line for line in lines if _NAMES_AN_ERROR.match(line) and not line.startswith("at ")]
    return (named or lines or ["no output"])[-1][:300]


def measure(peer: Peer, work: Work) -> Measured:
    """One run of the peer over all events, from the first until all are counted and durable.

    Raises:
        PeerError: when it fails, or its state at the end is not the truth.
    """
    group = f"{peer.name}-{uuid.uuid4().hex[:6]}"
    with tempfile.TemporaryDirectory(prefix="bench-peer-") as parent:
        folder = Path(parent) / "state"
        folder.mkdir()
        running = Running(peer, work, group, folder, work.events)
        try:
            measured = _watch(running, work, group)
        finally:
            running.kill()
        check(peer, work, group, folder, running.totals)
    return measured


def check(peer: Peer, work: Work, group: str, folder: Path, totals: list[str]) -> None:
    """Compare what the peer keeps with what is true.

    Raises:
        PeerError: when they differ.
    """
    try:
        wrong = final_state(peer, work.broker, group, folder, totals).difference(work.truth)
    except (RuntimeError, OSError, sqlite3.Error) as error:
        raise PeerError(f"its state cannot be read: {error}") from error
    if wrong:
        raise PeerError(f"did not do the job: {wrong}")


def _watch(running: Running, work: Work, group: str) -> Measured:
    first = running.await_moment("first", START_SECONDS)
    cpu_seconds = running.tree.cpu_seconds
    patience = START_SECONDS + work.events / LEAST_EVENTS_PER_SECOND
    if running.peer.commits:
        running.await_moment("last", patience)
        running.ask_to_end()
        done = await_committed(running, work.broker, work.topic, group, work.events)
    else:
        done = running.await_moment("done", patience)
    cpu_seconds = running.tree.cpu_seconds - cpu_seconds
    running.await_end()
    return Measured(done - first, cpu_seconds, running.tree.peak_bytes)


def await_committed(running: Running, broker: str, topic: str, group: str, events: int) -> float:
    """The time of day at which so many records were committed.

    Raises:
        PeerError: when it does not come to that.
    """
    consumer = KafkaConsumer(bootstrap_servers=broker, group_id=group, enable_auto_commit=False)
    try:
        deadline = time.monotonic() + END_SECONDS
        while True:
            ended = running.ended
            now = time.time()
            committed = committed_records(consumer, topic)
            if committed >= events:
                return now
            if ended or time.monotonic() > deadline:
                raise PeerError(f"committed {committed:,} of {events:,} events")
            time.sleep(SAMPLE_SECONDS)
    except KafkaError as error:
        raise PeerError(f"what it has committed cannot be asked for: {error!r}") from error
    finally:
        consumer.close()
