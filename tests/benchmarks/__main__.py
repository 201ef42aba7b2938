"""Measures ours and its peers and writes docs/performance.md: ``make bench``.

What was measured is kept in .cache/bench, so that parts measured one after another on the same
machine, with the same events, make one table.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from tests.benchmarks import plot
from tests.benchmarks.pages import DOCS, write
from tests.benchmarks.peers.catalogue import FLOORS, PEERS
from tests.benchmarks.report import report
from tests.benchmarks.results import OURS, Restored, Result, Results, load, save
from tests.benchmarks.setting import BROKERS, BrokerKind
from tests.benchmarks.throughput import (
    RESTORED,
    Sized,
    filled_broker,
    run_restores,
    run_round,
)

COMMAND = "make bench"
PICTURE = DOCS / "images" / "throughput.svg"
#: Names of ``--only`` that stand for several.
GROUPS = {"floor": FLOORS, "faust": ("faust-documented", "faust-tuned")}
ALL = (OURS, *(peer.name for peer in PEERS))


def main() -> None:
    """Measure, print and write the figures."""
    args = _arguments()
    results = load(args.events, args.customers)
    names, brokers = chosen_names(args.only), list(args.brokers)
    with Progress(console=Console(stderr=True)) as progress:
        if not args.report:
            if not args.resume:
                results.forget(set(names), set(brokers))
            if "rates" in args.parts:
                _rates(results, names, brokers, args.runs, progress)
            if "restore" in args.parts:
                _restores(results, names, args, progress)
            if "memory" in args.parts and OURS in names:
                _memory(results, args.memory_customers, progress)
    text = report(results)
    print(text)
    if not args.print_only:
        write(COMMAND, text)
        plot.draw(results, PICTURE)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5, help="runs of each (medians are shown)")
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=list(ALL),
        metavar="NAME,NAME",
        help=f"of {', '.join(ALL)}; floor and faust mean both of theirs",
    )
    parser.add_argument(
        "--brokers", nargs="+", choices=list(BROKERS), default=list(BROKERS), metavar="BROKER"
    )
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=["rates", "restore", "memory"],
        default=["rates", "restore", "memory"],
        metavar="PART",
        help="rates, restore and memory (default: all)",
    )
    parser.add_argument("--restore-customers", type=int, default=1_000_000)
    parser.add_argument("--memory-customers", type=int, default=1_000_000)
    parser.add_argument(
        "--resume", action="store_true", help="keep what was measured, do only what is missing"
    )
    parser.add_argument("--report", action="store_true", help="measure nothing, only write")
    parser.add_argument("--print-only", action="store_true", help="leave docs/ as it is")
    args = parser.parse_args()
    unknown = [name for name in args.only if name not in (*ALL, *GROUPS)]
    if unknown:
        parser.error(f"no {', '.join(unknown)}; there are {', '.join((*ALL, *GROUPS))}")
    return args


def chosen_names(only: list[str]) -> list[str]:
    """The peers meant, in the order in which they run."""
    meant = {name for one in only for name in GROUPS.get(one, (one,))}
    return [name for name in ALL if name in meant]


def _rates(
    results: Results, names: list[str], brokers: list[BrokerKind], runs: int, progress: Progress
) -> None:
    size = Sized(results.events, results.customers)
    left = {
        (name, broker): results.missing(name, broker, runs) for name in names for broker in brokers
    }
    task = progress.add_task("", total=sum(left.values()))
    for number in range(runs):
        for broker in brokers:
            # The last rounds are those that were missing.
            due = [name for name in names if results.missing(name, broker, runs) >= runs - number]
            if not due:
                continue

            def say(doing: str, at: str = f"round {number + 1}, {broker}") -> None:
                progress.update(task, description=f"{at}: {doing}")

            say("starting the broker")
            with filled_broker(broker, size, say) as filled:
                for result in run_round(filled, broker, due, size, say):
                    results.runs.append(result)
                    save(results)
                    progress.update(task, advance=1 if result.measured else runs - number)
                    progress.console.print(_line(result))


def _restores(
    results: Results, names: list[str], args: argparse.Namespace, progress: Progress
) -> None:
    names = [name for name in names if name in (OURS, *RESTORED)]
    if args.resume:
        done = {one.peer for one in results.restores}
        names = [name for name in names if name not in done]
    results.forget_restores(set(names))
    task = progress.add_task("", total=len(names) * args.runs)

    def say(doing: str) -> None:
        progress.update(task, description=f"restore: {doing}")

    for one in run_restores(args.restore_customers, names, args.runs, say):
        results.restores.append(one)
        save(results)
        progress.update(task, advance=args.runs if one.failure else 1)
        progress.console.print(_restore_line(one))


def _memory(results: Results, customers: int, progress: Progress) -> None:
    task = progress.add_task("memory", total=1)
    command = [sys.executable, "-m", "tests.benchmarks.memory", str(customers)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    results.bytes_per_customer, results.memory_customers = float(done.stdout), customers
    save(results)
    progress.update(task, advance=1)


def _line(result: Result) -> str:
    at = f"{result.peer} on {BROKERS[result.broker]}"
    if result.measured is None:
        return f"[red]{at} FAILED: {escape(result.failure)}[/red]"
    return f"{at}: {result.events / result.measured.wall_seconds:,.0f} events/s"


def _restore_line(restored: Restored) -> str:
    if restored.failure:
        return f"[red]restore of {restored.peer} FAILED: {escape(restored.failure)}[/red]"
    return f"restore of {restored.peer}: {restored.customers:,} in {restored.seconds:.1f} s"


if __name__ == "__main__":
    main()
