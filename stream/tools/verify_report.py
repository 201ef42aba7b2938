"""How ``verify`` shows its work: a progress bar, and a table of differences."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stream.tools.oracle import Difference

MAX_ROWS = 40
PIPE_WIDTH = 200  # columns, where there is no terminal to ask


@contextmanager
def fraction_progress() -> Iterator[Callable[[str, float], None]]:
    """A progress bar on stderr, shown only to a terminal; yields ``report(stage, fraction)``."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("reading events", total=1.0)
        yield lambda stage, done: progress.update(task, description=stage, completed=done)


def show_differences(differences: Sequence[Difference]) -> None:
    """Print the first differences to stdout, and how many more there are."""
    console = Console()
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    table = Table("gauge", "labels", "expected", "worker shows", "off by", title="Differences")
    for difference in differences[:MAX_ROWS]:
        expected, actual = difference.expected, difference.actual
        table.add_row(
            difference.name,
            " ".join(f"{label}={value}" for label, value in difference.labels)
            + (f"\n{difference.rule}" if difference.rule else ""),
            _number(expected),
            _number(actual),
            "" if expected is None or actual is None else f"{actual - expected:+.12g}",
        )
    # Labels come from events: they are text, not markup.
    console.print(table, markup=False)
    if len(differences) > MAX_ROWS:
        console.print(f"... and {len(differences) - MAX_ROWS} more", markup=False)


def _number(value: float | None) -> str:
    return "absent" if value is None else f"{value:.15g}"
