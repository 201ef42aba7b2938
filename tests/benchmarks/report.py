"""The figures as Markdown: medians with least and most, ratios to ours, and what failed and why."""

from __future__ import annotations

from collections.abc import Callable

from tests.benchmarks.figures import Spread
from tests.benchmarks.peers.catalogue import FLOORS, PEERS
from tests.benchmarks.results import OURS, Restored, Result, Results
from tests.benchmarks.setting import BROKERS, BrokerKind, Measured

TITLES = {OURS: "**retention-stream**, all of its work"} | {peer.name: peer.title for peer in PEERS}


def measured_of(results: Results, peer: str, broker: BrokerKind) -> list[Result]:
    """The runs of a peer on a broker that gave figures."""
    return [
        run
        for run in results.runs
        if (run.peer, run.broker) == (peer, broker) and run.measured is not None
    ]


def rates(results: Results, peer: str, broker: BrokerKind) -> Spread | None:
    """Events per second; None when there are no figures."""
    return _spread(results, peer, broker, lambda run, of: run.events / of.wall_seconds)


def cpu_per_million(results: Results, peer: str, broker: BrokerKind) -> Spread | None:
    """CPU-seconds per million events, of all of its processes."""
    return _spread(results, peer, broker, lambda run, of: of.cpu_seconds * 1e6 / run.events)


def peak_mebibytes(results: Results, peer: str, broker: BrokerKind) -> Spread | None:
    """Most resident memory of all of its processes together."""
    return _spread(results, peer, broker, lambda _run, of: of.peak_bytes / 2**20)


def _spread(
    results: Results,
    peer: str,
    broker: BrokerKind,
    of: Callable[[Result, Measured], float],
) -> Spread | None:
    values = [
        of(run, run.measured)
        for run in measured_of(results, peer, broker)
        if run.measured is not None
    ]
    return Spread.of(values) if values else None


def faster_floor(results: Results, broker: BrokerKind) -> Spread | None:
    """The faster of the bare loops."""
    floors = [found for name in FLOORS if (found := rates(results, name, broker))]
    return max(floors, key=lambda one: one.median, default=None)


def report(results: Results) -> str:
    """All tables, as Markdown."""
    counts = sorted({len(measured_of(results, run.peer, run.broker)) for run in results.runs} - {0})
    runs = " to ".join(
        str(count) for count in dict.fromkeys((counts or [0])[:: len(counts) - 1 or 1])
    )
    lines = [
        (
            f"{results.events:,} events of {results.customers:,} customers, {runs} runs each in "
            f"turn, on {results.machine}; median (least to most)."
        ),
        "",
        "![Events per second of ours and its peers](images/throughput.svg)",
        "",
    ]
    for broker, title in BROKERS.items():
        if any(run.broker == broker for run in results.runs):
            lines += [f"On {title}:", "", *_table(results, broker), ""]
            lines += [*_floor_line(results, broker)]
    lines += _restores(results)
    if results.bytes_per_customer is not None:
        lines += [
            (
                f"Memory: {results.bytes_per_customer:.0f} bytes a customer with three orders, "
                f"over {results.memory_customers:,} customers, tallies of seven windows and two "
                "dimensions included."
            ),
            "",
        ]
    return "\n".join(lines)


def _table(results: Results, broker: BrokerKind) -> list[str]:
    ours, ours_cpu = rates(results, OURS, broker), cpu_per_million(results, OURS, broker)
    lines = [
        "| | events/s | ours / it | CPU-seconds per million events | it / ours | peak MiB |",
        "|---|---|---|---|---|---|",
    ]
    for name, title in TITLES.items():
        rate, cpu = rates(results, name, broker), cpu_per_million(results, name, broker)
        peak = peak_mebibytes(results, name, broker)
        if rate is not None and cpu is not None and peak is not None:
            faster = f"{ours.median / rate.median:.2f}" if ours else "-"
            leaner = f"{cpu.median / ours_cpu.median:.2f}" if ours_cpu else "-"
            events = measured_of(results, name, broker)[0].events
            fewer = "" if events == results.events else f", {events:,} events"
            lines.append(
                f"| {title}{fewer} | {rate.text()} | {faster} | {cpu.text(1)} | {leaner} "
                f"| {peak.median:,.0f} |"
            )
        elif failure := _failure(results, name, broker):
            lines.append(f"| {title} | none: {failure} | - | - | - | - |")
    return lines


def _failure(results: Results, peer: str, broker: BrokerKind) -> str:
    for run in results.runs:
        if (run.peer, run.broker) == (peer, broker) and run.failure:
            return run.failure.replace("|", "/").replace("\n", " ")
    return ""


def _floor_line(results: Results, broker: BrokerKind) -> list[str]:
    ours, floor = rates(results, OURS, broker), faster_floor(results, broker)
    if ours is None or floor is None:
        return []
    return [f"Ours comes to {ours.median / floor.median:.2f} of the faster bare loop.", ""]


def _restores(results: Results) -> list[str]:
    if not results.restores:
        return []
    lines = [
        (
            "Started again with an empty disk, on Apache Kafka, from the start of the process "
            "until one new event of every partition was counted (ours: until it is ready):"
        ),
        "",
        "| | customers | seconds | customers/s |",
        "|---|---|---|---|",
    ]
    for name, title in TITLES.items():
        some = [one for one in results.restores if one.peer == name]
        done = [one for one in some if not one.failure]
        if done:
            seconds = Spread.of([one.seconds for one in done])
            each = Spread.of([one.customers / one.seconds for one in done])
            lines.append(
                f"| {title} | {done[0].customers:,} | {seconds.text(1)} | {each.median:,.0f} |"
            )
        elif some:
            lines.append(f"| {title} | none: {_one_line(some[0])} | - | - |")
    return [*lines, ""]


def _one_line(restored: Restored) -> str:
    return restored.failure.replace("|", "/").replace("\n", " ")
