"""Runs the benchmarks and writes docs/performance.md: ``make bench``."""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
from pathlib import Path

import psutil
from rich.progress import Progress

from tests.benchmarks import ours
from tests.benchmarks.setting import Measured, filled_broker

REPORT = Path(__file__).parents[2] / "docs" / "performance.md"
MARK = "<!-- figures: written by `make bench` -->"


def main() -> None:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5, help="runs of each (medians are shown)")
    parser.add_argument("--memory-customers", type=int, default=1_000_000)
    parser.add_argument("--print-only", action="store_true", help="leave docs/ as it is")
    args = parser.parse_args()
    with Progress() as progress:
        task = progress.add_task("filling the broker", total=2 * args.runs + 2)
        with filled_broker(args.events, args.customers) as (settings, environ):
            workers, floors = [], []
            for run in range(args.runs):
                progress.update(task, description=f"run {run + 1}", advance=1)
                workers.append(ours.measure(settings, environ, f"bench-{run}", args.events))
                progress.advance(task)
                floors.append(_floor(settings.broker, args.events))
        progress.update(task, description="memory", advance=1)
        memory = float(_python("tests.benchmarks.memory", str(args.memory_customers)))
        progress.advance(task)
    text = _report(args, workers, floors, memory)
    print(text)
    if not args.print_only:
        before, _, _ = REPORT.read_text(encoding="utf-8").partition(MARK)
        REPORT.write_text(f"{before}{MARK}\n\n{text}", encoding="utf-8")


def _floor(broker: str, events: int) -> Measured:
    wall, cpu, peak = _python("tests.benchmarks.floor", broker, str(events)).split()
    return Measured(float(wall), float(cpu), int(peak))


def _python(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _report(
    args: argparse.Namespace, workers: list[Measured], floors: list[Measured], memory: float
) -> str:
    rows = [
        _row("the worker, all of its work", workers, args.events),
        _row("floor: a bare loop, nothing durable", floors, args.events),
    ]
    ratio = statistics.median(
        floor.wall_seconds / worker.wall_seconds
        for floor, worker in zip(floors, workers, strict=True)
    )
    machine = (
        f"{psutil.cpu_count()} cores ({platform.machine()}), "
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB, Python {platform.python_version()}"
    )
    return "\n".join(
        [
            (
                f"{args.events:,} events of {args.customers:,} customers, {args.runs} runs each in "
                f"turn, on {machine}; median (least to most)."
            ),
            "",
            "| | events/s | CPU-seconds per million events | peak memory |",
            "|---|---|---|---|",
            *rows,
            "",
            f"Ratio to the floor, run by run: {ratio:.2f} (median).",
            "",
            (
                f"Memory: {memory:.0f} bytes a customer with three orders, over "
                f"{args.memory_customers:,} customers, tallies of seven windows and two dimensions "
                "included."
            ),
            "",
        ]
    )


def _row(name: str, runs: list[Measured], events: int) -> str:
    rates = sorted(events / run.wall_seconds for run in runs)
    cpu = sorted(run.cpu_seconds * 1e6 / events for run in runs)
    peak = statistics.median(run.peak_bytes for run in runs) / 2**20
    return (
        f"| {name} | {statistics.median(rates):,.0f} ({rates[0]:,.0f} to {rates[-1]:,.0f}) "
        f"| {statistics.median(cpu):.1f} ({cpu[0]:.1f} to {cpu[-1]:.1f}) | {peak:,.0f} MiB |"
    )


if __name__ == "__main__":
    main()
