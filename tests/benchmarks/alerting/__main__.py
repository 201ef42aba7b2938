"""Measures how well the alerts find drops and writes docs/alerting.md: ``make bench-alerts``."""

from __future__ import annotations

import argparse
import shutil
from collections import defaultdict
from pathlib import Path

from rich.progress import Progress

from tests.benchmarks.alerting.findings import Episode, episodes
from tests.benchmarks.alerting.report import Measured, report
from tests.benchmarks.alerting.shops import Run
from tests.support.alert_history import History
from tests.support.alert_rules import alerts

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
        default=[300.0, 1000.0, 2000.0],
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
        runs = sum(map(len, sizes.values()))
        task = progress.add_task("shops", total=runs + len(sizes))
        for size, some in sizes.items():
            for run in some:
                progress.update(task, description=f"shop {run.store}", advance=1)
                path = args.work / f"{run.store}.om"
                # Left by a run before this one: the same shop gives the same gauges.
                if not path.exists():
                    run.write_gauges(path)
            progress.update(task, description=f"Prometheus, {size:g} a day", advance=1)
            measured.append(Measured(size, _told(args.work, some)))
    text = report(measured)
    print(text)
    if not args.print_only:
        before, _, _ = DOCUMENT.read_text(encoding="utf-8").partition(MARK)
        DOCUMENT.write_text(f"{before}{MARK}\n\n{text}", encoding="utf-8")


def _told(work: Path, runs: list[Run]) -> list[tuple[Run, list[Episode]]]:
    """What each of these shops would have been told, all in one Prometheus."""
    folder = work / "prometheus"
    shutil.rmtree(folder, ignore_errors=True)
    history = History(
        folder,
        min(run.written_from_seconds for run in runs),
        max(run.measured_until_seconds for run in runs),
    )
    together = folder / "gauges.om"
    with together.open("wb") as file:
        for run in runs:
            with (work / f"{run.store}.om").open("rb") as gauges:
                shutil.copyfileobj(gauges, file)
        file.write(b"# EOF\n")
    history.load(together)
    together.unlink()
    history.record()
    by_name = {alert.name: alert for alert in alerts()}
    told: defaultdict[str, list[Episode]] = defaultdict(list)
    for evaluated in history.evaluate():
        told[evaluated.labels["store"]] += episodes(evaluated, by_name[evaluated.alert])
    return [(run, told[run.store]) for run in runs]


if __name__ == "__main__":
    main()
