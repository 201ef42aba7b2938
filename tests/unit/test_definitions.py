"""docs/definitions.md: what others' definitions of the same words say of Online Retail."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from stream.tools.oracle import OracleParameters, write_sql
from tests.support.event_lines import DAY_MS, HOUR_MS, NOW_MS
from tests.support.online_retail import online_retail_path

PAGE = Path(__file__).parents[2] / "docs" / "definitions.md"
DEFINITIONS = Path(__file__).parents[1] / "support" / "definitions.sql"


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Every definition's figure, from the oracle's tables as of the end of September 2011."""
    parameters = OracleParameters(
        windows=("month",),
        dimensions=(),
        timezone="UTC",
        bucket_ms=HOUR_MS,
        horizon_ms=800 * DAY_MS,
        clock="event",
        now_ms=NOW_MS,
        as_of_ms=round(datetime.fromisoformat("2011-09-30T23:59:59Z").timestamp() * 1000),
    )
    steps = write_sql(tmp_path_factory.mktemp("sql"), parameters)
    with duckdb.connect() as database:
        database.execute(
            "CREATE TABLE raw_events AS SELECT row_number() OVER () AS arrival, event "
            "FROM read_csv(?, columns = {event: 'VARCHAR'}, auto_detect = false, header = false, "
            "delim = '\x01', quote = '', escape = '')",
            [str(online_retail_path())],
        )
        for path in [*steps, DEFINITIONS]:
            database.execute(path.read_text(encoding="utf-8"))
        return {
            str(name): float(value) for name, value in database.sql("FROM definitions").fetchall()
        }


def test_every_figure_of_the_page_is_what_the_oracles_tables_say(
    figures: dict[str, float],
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| ([^|]+) \|.*\| ([\d.]+) \|$", page, re.MULTILINE))
    decimals = {name: len(text.partition(".")[2]) for name, text in told.items()}
    assert told == {name: f"{value:.{decimals.get(name, 3)}f}" for name, value in figures.items()}
