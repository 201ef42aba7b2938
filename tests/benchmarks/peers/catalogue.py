"""The peers: what each is, how it is started, where its state can be read at the end."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.benchmarks.setting import PARTITIONS

ROOT = Path(__file__).parents[3]
HOMES = ROOT / ".cache" / "peers"

#: A peer that cannot do a million in a sensible time is given fewer; the rate is compared.
FEWER_EVENTS = 50_000


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to do the small job of ``job.py``.

    Args:
        program: its arguments after the interpreter; broker, topic, events, group and folder
            follow, then ``more``.
        home: its folder of ``scripts/install_peers.sh``; empty for our own environment.
        state: where the state at its end is read from: its changelog topic, the line of totals
            that it prints, or a file of its own in its folder.
    """

    name: str
    title: str
    program: tuple[str, ...]
    state: Literal["changelog", "totals", "bytewax", "pathway"]
    home: str = ""
    more: tuple[str, ...] = ()
    most_events: int | None = None
    heap: str = ""

    @property
    def commits(self) -> bool:
        """Whether it runs until SIGTERM and commits offsets; the others end with the topic."""
        return self.state == "changelog"

    @property
    def missing(self) -> str | None:
        """Why it cannot run here; None when it can."""
        if not self.home:
            return None
        failed = HOMES / f"{self.home}.failed"
        if failed.exists():
            return f"could not be installed: {failed.read_text(encoding='utf-8').strip()}"
        if not (HOMES / self.home).is_dir():
            return "is not installed: run scripts/install_peers.sh"
        return None

    def events(self, events: int) -> int:
        """How many of so many events it is given."""
        return min(events, self.most_events or events)

    def command(self, broker: str, topic: str, events: int, group: str, folder: Path) -> list[str]:
        """The command that runs it, from the root of the repository."""
        home = HOMES / self.home
        if self.heap:
            start = ["java", f"-Xmx{self.heap}", "-cp", f"{home}/classes:{home}/lib/*"]
            start += _QUIET
        else:
            start = [str(home / "bin" / "python") if self.home else sys.executable, "-m"]
        return [*start, *self.program, broker, topic, str(events), group, str(folder), *self.more]


_QUIET = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
_OURS = "tests.benchmarks.peers."


def _kafka_streams(name: str, title: str, guarantee: str) -> Peer:
    return Peer(
        name,
        title,
        ("StreamsTable",),
        "changelog",
        home="kafka-streams",
        more=(guarantee,),
        heap="1g",
    )


def _faust(way: str, title: str, most_events: int) -> Peer:
    return Peer(
        f"faust-{way}",
        title,
        (f"{_OURS}faust_table",),
        "changelog",
        more=(way, str(PARTITIONS)),
        most_events=most_events,
    )


PEERS = (
    Peer("floor-aiokafka", "bare loop, aiokafka", (f"{_OURS}floor_aiokafka",), "totals"),
    Peer(
        "floor-confluent",
        "bare loop, confluent-kafka",
        (f"{_OURS}floor_confluent",),
        "totals",
        home="confluent",
    ),
    Peer("quix", "Quix Streams", (f"{_OURS}quix_streams",), "changelog", home="quix"),
    _kafka_streams("kafka-streams", "Kafka Streams, at least once", "at_least_once"),
    _kafka_streams("kafka-streams-eos", "Kafka Streams, exactly once", "exactly_once_v2"),
    Peer("bytewax", "Bytewax", (f"{_OURS}bytewax_flow",), "bytewax", home="bytewax"),
    Peer("pathway", "Pathway", (f"{_OURS}pathway_table",), "pathway", home="pathway"),
    _faust("documented", "Faust as documented", FEWER_EVENTS),
    _faust("tuned", "Faust, tuned", 4 * FEWER_EVENTS),
    Peer("flink", "Flink", ("FlinkTable",), "totals", home="flink", heap="2g"),
)
FLOORS = ("floor-aiokafka", "floor-confluent")
