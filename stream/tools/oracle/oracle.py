"""Runs the SQL over files of events and hands back the gauges a worker should show."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

import duckdb

from stream.tools.oracle.parameters import OracleError, OracleParameters, sql_steps
from stream.tools.oracle.reading import spool_lines

Progress: TypeAlias = Callable[[str, float], None]

READING_SHARE = 0.4  # of the whole time, measured on a million events
#: Columns of the table ``metrics`` that are labels; all but one by their own name.
LABEL_COLUMNS = {
    name.replace("window", "window_name"): name
    for name in (
        "store",
        "dimension",
        "segment",
        "window",
        "status",
        "kind",
        "currency",
        "cohort",
        "age",
        "le",
        "stage",
        "ratio",
        "bound",
    )
}


class Sample(NamedTuple):
    """One gauge: its name, its labels and its value."""

    name: str
    labels: dict[str, str]
    value: float


class StageChange(NamedTuple):
    """A customer's stage changed, from None with its first order."""

    store: str
    customer_id: str
    changed_ms: int
    before: str | None
    after: str
    #: The customer's orders up to then.
    orders: int


@dataclass(frozen=True, slots=True)
class Recomputed:
    """Everything the oracle found out.

    Attributes:
        samples: every gauge, sorted by name and labels. Counts of nothing are there as 0; ratios
            without a denominator are not there.
        outcomes: number of events by what became of them: ``applied``, ``duplicate``, ``guest``,
            ``rejected`` and ``too_late``.
        events: how many events were read, usable or not.
        as_of_ms: the moment computed for; None when there is no usable event to tell.
    """

    samples: list[Sample]
    outcomes: Mapping[str, int]
    events: int
    as_of_ms: int | None


def expected(files: Sequence[Path], parameters: OracleParameters) -> list[Sample]:
    """The gauges a worker that was sent ``files`` should show. See ``recompute``."""
    return recompute(files, parameters).samples


def recompute(
    files: Sequence[Path],
    parameters: OracleParameters,
    on_progress: Progress = lambda _stage, _fraction: None,
) -> Recomputed:
    """Recompute every metric from files of JSON lines (``.gz`` too), in order of sending.

    ``on_progress`` hears what is being done and the fraction of the whole that is done.

    Raises:
        OracleError: when a file cannot be read or a parameter cannot be used.
    """
    with _computed(files, parameters, on_progress) as (database, events, malformed):
        outcomes = {
            str(outcome): int(count)
            for outcome, count in database.sql("FROM event_outcomes").fetchall()
        }
        outcomes["rejected"] = outcomes.get("rejected", 0) + malformed
        (as_of_ms,) = database.sql("SELECT max(as_of_ms) FROM as_of").fetchall()[0]
        return Recomputed(_samples(database), outcomes, events, as_of_ms)


def stage_changes(files: Sequence[Path], parameters: OracleParameters) -> list[StageChange]:
    """Every change of a customer's stage before "as of", each customer's in order.

    Raises:
        OracleError: when a file cannot be read or a parameter cannot be used.
    """
    with _computed(files, parameters, lambda _stage, _fraction: None) as (database, _, _):
        found = database.sql(
            "SELECT store, customer_id, changed_ms, previous_stage, stage, orders "
            "FROM stage_changes CROSS JOIN as_of WHERE changed_ms < as_of_ms "
            "ORDER BY buyer_id, place"
        )
        return [StageChange(*row) for row in found.fetchall()]


@contextmanager
def _computed(
    files: Sequence[Path], parameters: OracleParameters, on_progress: Progress
) -> Iterator[tuple[duckdb.DuckDBPyConnection, int, int]]:
    """Every table of the SQL, how many events were read, and how many of them are not JSON."""
    with tempfile.TemporaryDirectory(prefix="retention-oracle-") as folder:
        spool = Path(folder) / "events.tsv"
        events, malformed = spool_lines(
            files, spool, lambda done: on_progress("reading events", READING_SHARE * done)
        )
        with duckdb.connect(config={"temp_directory": folder, "memory_limit": "8GB"}) as database:
            _run(database, spool, parameters, on_progress)
            yield database, events, malformed


def _run(
    database: duckdb.DuckDBPyConnection,
    spool: Path,
    parameters: OracleParameters,
    on_progress: Progress,
) -> None:
    database.execute("SET enable_progress_bar = false")
    database.execute("CREATE TABLE raw_events (arrival BIGINT, event VARCHAR)")
    # No quoting or escaping: a JSON text holds neither tabs nor line ends. A line may be as long
    # as a Kafka message can be made.
    database.execute(
        "INSERT INTO raw_events FROM read_csv(?, columns = {arrival: 'BIGINT', event: 'VARCHAR'}, "
        "auto_detect = false, header = false, delim = '\t', quote = '', escape = '', "
        "max_line_size = 134217728)",
        [str(spool)],
    )
    steps = list(sql_steps(parameters))
    for index, (name, text) in enumerate(steps):
        stage = name.removesuffix(".sql")[3:]
        on_progress(f"computing {stage}", READING_SHARE + (1 - READING_SHARE) * index / len(steps))
        try:
            database.execute(text)
        except duckdb.CatalogException as error:
            raise OracleError(f"this DuckDB lacks what {name} needs: {error}") from error
    on_progress("done", 1.0)


def _samples(database: duckdb.DuckDBPyConnection) -> list[Sample]:
    metrics = database.sql("FROM metrics ORDER BY ALL")
    rows = (dict(zip(metrics.columns, row, strict=True)) for row in metrics.fetchall())
    return [
        Sample(
            str(row["metric"]),
            {
                label: str(row[column])
                for column, label in LABEL_COLUMNS.items()
                if row[column] is not None
            },
            # Whole numbers up to here, so that this one division is the only rounding.
            int(row["numerator"]) / int(row["denominator"]),
        )
        for row in rows
    ]
