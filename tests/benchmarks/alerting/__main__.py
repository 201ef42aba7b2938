"""Measures how well the alerts find drops and writes docs/alerting.md: ``make bench-alerts``."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.progress import Progress

from tests.benchmarks.alerting.findings import told
from tests.benchmarks.alerting.report import Measured, report
from tests.benchmarks.alerting.shops import Run

DOCUMENT = Path(__file__).parents[3] / "docs" / "alerting.md"
MARK = "<!-- figures: written by `make bench-alerts` -->"
DROPS = (0.1, 0.2)


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.alerting", description=__doc__
    )
    parser.add_argument(
        "--customers-per-day",
        type=float,
        nargs="+",
        default=[300.0, 1000.0],
        help="newcomers a day: sizes of shops with drops",
    )
    parser.add_argument(
        "--false-alarms",
        type=float,
        nargs="*",
        default=[1000.0],
        help="of these, sizes that are also run for half a year without a drop (takes longest)",
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--work", type=Path, default=Path(".cache/alerting"))
    parser.add_argument("--print-only", action="store_true", help="leave docs/ as it is")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    sizes: dict[float, list[Run]] = {
        size: [
            Run(size, seed, drop)
            for seed in range(1, args.seeds + 1)
            for drop in (*DROPS, *((0.0,) if size in args.false_alarms else ()))
        ]
        for size in args.customers_per_day
    }
    measured = []
    with Progress() as progress:
        task = progress.add_task("shops", total=sum(map(len, sizes.values())))
        for size, some in sizes.items():
            found = []
            for run in some:
                progress.update(task, description=f"shop {run.store}")
                found.append((run, told(run, run.figures(args.work))))
                progress.advance(task)
            measured.append(Measured(size, found))
    text = report(measured)
    print(text)
    if not args.print_only:
        before, _, _ = DOCUMENT.read_text(encoding="utf-8").partition(MARK)
        DOCUMENT.write_text(f"{before}{MARK}\n\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
