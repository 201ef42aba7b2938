"""What has been measured on this machine so far: kept between runs, so that parts add up."""

from __future__ import annotations

import platform
from pathlib import Path

import msgspec
import psutil

from tests.benchmarks.setting import BrokerKind, Measured

STORE = Path(__file__).parents[2] / ".cache" / "bench" / "results.json"
OURS = "ours"


class Result(msgspec.Struct, frozen=True):
    """One run of one peer, or of ours, over a topic of events; or why there is none."""

    peer: str
    broker: BrokerKind
    events: int
    measured: Measured | None = None
    failure: str = ""


class Restored(msgspec.Struct, frozen=True):
    """One start on an empty disk, until the first new event of every partition was counted."""

    peer: str
    customers: int
    seconds: float = 0.0
    failure: str = ""


class Results(msgspec.Struct):
    """Everything measured, of one size of the events."""

    machine: str
    events: int
    customers: int
    runs: list[Result] = []
    restores: list[Restored] = []
    bytes_per_customer: float | None = None
    memory_customers: int = 0

    def forget(self, peers: set[str], brokers: set[BrokerKind]) -> None:
        """Drop what is to be measured again."""
        self.runs = [run for run in self.runs if run.peer not in peers or run.broker not in brokers]

    def forget_restores(self, peers: set[str]) -> None:
        """Drop what is to be measured again."""
        self.restores = [one for one in self.restores if one.peer not in peers]

    def missing(self, peer: str, broker: BrokerKind, runs: int) -> int:
        """How many runs are still to be done; none after a failure."""
        done = [run for run in self.runs if (run.peer, run.broker) == (peer, broker)]
        return 0 if any(run.failure for run in done) else max(0, runs - len(done))


def machine() -> str:
    """The machine in half a line."""
    return (
        f"{psutil.cpu_count()} cores ({_processor()}), "
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()} "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}"
    )


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.machine()


def load(events: int, customers: int, store: Path = STORE) -> Results:
    """What was kept of this machine and size; empty when there is nothing or another's."""
    empty = Results(machine(), events, customers)
    if not store.exists():
        return empty
    kept = msgspec.json.decode(store.read_bytes(), type=Results)
    same = (kept.machine, kept.events, kept.customers) == (machine(), events, customers)
    return kept if same else empty


def save(results: Results, store: Path = STORE) -> None:
    """Keep them; whoever stops the benchmark loses nothing but the run it was in."""
    store.parent.mkdir(parents=True, exist_ok=True)
    beside = store.with_suffix(".new")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1))
    beside.replace(store)
