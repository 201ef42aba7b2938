"""The command that compares a worker's gauges with the oracle's."""

from __future__ import annotations

import argparse
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import duckdb
import pytest

from stream.settings import load_settings
from stream.tools import verify, verify_scrape
from stream.tools.console import CommandError
from tests.support.event_lines import (
    cancellation,
    day_ms,
    gauges_of,
    parameters,
    product_return,
    purchase,
    signup,
    write_events,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.tools.oracle import Sample
    from tests.support.event_lines import Event, Gauges

SETTINGS = load_settings(
    {
        "RETENTION_CLOCK": "event",
        "RETENTION_WINDOWS": "30d,month",
        "RETENTION_DIMENSIONS": "channel",
        "RETENTION_STAGE_LAPSED_AFTER": "365d",  # as of `parameters`, whatever the windows
    }
)
EVENTS: list[Event | str] = [
    purchase("a", 0),
    purchase("a", 40, attributes={"channel": "[red]web"}),
    purchase("b", 45, order_id="x"),
    purchase("c", 10, amount="0.10"),
    cancellation("b", "x", 46),
    product_return("a", 50),
    signup("d", 59.5),
    "not JSON",
]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Gauges:
    given = parameters("30d", "month", dimensions=("channel",))
    return gauges_of(tmp_path_factory.mktemp("truth"), EVENTS, given)


@pytest.fixture
def events_file(tmp_path: Path) -> Path:
    return write_events(tmp_path / "events.jsonl", EVENTS)


def exposition(samples: Sequence[Sample], **operation: float) -> str:
    """What a worker that read EVENTS shows, in Prometheus' text format."""
    numbers = {
        "retention_as_of_timestamp_seconds": day_ms(59.5) / 1000,
        "retention_partitions_ready": 8,
        "retention_partitions_expected": 8,
        'retention_lag_events{topic="purchases",partition="0"}': 0,
        'retention_events_total{topic="purchases",outcome="applied"}': len(EVENTS) - 1,
        'retention_events_total{topic="purchases",outcome="rejected"}': 1,
        'retention_events_total{topic="returns",outcome="rerouted"}': 3,
        'retention_events_total{topic="returns",outcome="too_late"}': 0,
    } | operation
    lines = [f"{name} {value!r}" for name, value in numbers.items()]
    for name, labels, value in samples:
        pairs = ",".join(f"{label}={json.dumps(text)}" for label, text in labels.items())
        lines.append(f"{name}{{{pairs}}} {value!r}")
    return "\n".join(lines) + "\n"


class Worker(BaseHTTPRequestHandler):
    """Answers with the pages in turn, the last one for ever."""

    pages: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        page = self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def worker(*pages: str) -> Iterator[str]:
    """A worker on the loopback that shows these pages in turn; yields where."""
    handler = type("Pages", (Worker,), {"pages": list(pages)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/metrics"
        finally:
            server.shutdown()
            thread.join()


def run_verify(*arguments: str | Path | float) -> int:
    parser = argparse.ArgumentParser(exit_on_error=False)
    verify.add_arguments(parser)
    return verify.run(SETTINGS, parser.parse_args([str(argument) for argument in arguments]))


def changed(samples: Sequence[Sample], name: str, by: float, **labels: str) -> list[Sample]:
    """The samples with those of a name and labels off by something."""
    hit = [s for s in samples if s.name == name and labels.items() <= s.labels.items()]
    assert hit
    return [
        sample._replace(value=sample.value + by) if sample in hit else sample for sample in samples
    ]


def test_a_worker_that_shows_the_truth_passes(
    truth: Gauges, events_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = truth.recomputed.samples
    with worker(exposition(samples)) as url:
        assert run_verify(events_file, "--url", url) == 0
    out = capsys.readouterr().out
    assert out == f"8 events: {len(samples)} gauges compared, {len(samples)} equal\n"


def test_a_wrong_gauge_is_named_and_fails(
    truth: Gauges, events_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = truth.recomputed.samples
    labels = {"dimension": "channel", "segment": "[red]web", "window": "30d"}
    off = changed(samples, "retention_orders", 1, **labels)
    with worker(exposition(off)) as url:
        assert run_verify(events_file, "--url", url) == 1
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if "retention_orders" in line)
    assert "segment=[red]web" in row
    assert "window=30d" in row
    assert f"{len(samples)} gauges compared, {len(samples) - 1} equal" in out


def test_wrong_counters_of_unusable_events_fail(
    truth: Gauges, events_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = exposition(truth.recomputed.samples).replace('outcome="applied"', 'outcome="too_late"')
    page = page.replace('too_late"} 0', 'applied"} 0')
    with worker(page) as url:
        assert run_verify(events_file, "--url", url) == 1
    assert "outcome=too_late" in capsys.readouterr().out


def test_counters_that_do_not_cover_the_files_are_not_compared(
    truth: Gauges, events_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    restarted = exposition(truth.recomputed.samples).replace(f"{len(EVENTS) - 1}\n", "0\n")
    with worker(restarted) as url:
        assert run_verify(events_file, "--url", url) == 0
    assert "cover 1 records, the files hold 8" in capsys.readouterr().out


def test_gauges_are_recomputed_for_the_moment_the_worker_shows(
    truth: Gauges, events_file: Path
) -> None:
    samples = truth.recomputed.samples
    later = exposition(samples, retention_as_of_timestamp_seconds=day_ms(200) / 1000)
    with worker(later) as url:
        assert run_verify(events_file, "--url", url) == 1
        assert run_verify(events_file, "--url", url, "--as-of", day_ms(59.5) / 1000) == 0
        assert run_verify(events_file, "--url", url, "--as-of", "2024-02-29T13:00:00+01:00") == 0


def test_a_worker_that_is_not_ready_is_told_apart_from_a_wrong_one(events_file: Path) -> None:
    page = exposition([], retention_partitions_ready=3)
    with worker(page) as url, pytest.raises(CommandError, match="3 of 8 partitions are ready"):
        run_verify(events_file, "--url", url)


def test_waiting_ends_when_all_is_read_and_the_gauges_stand_still(
    truth: Gauges, events_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_scrape, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(verify, "STEADY_FLUSHES", 0.1)
    samples = truth.recomputed.samples
    lagging = exposition([]).replace('partition="0"} 0', 'partition="0"} 5')
    moving = exposition(changed(samples, "retention_orders", -1))
    # Twice the same, but not for long enough.
    with worker(lagging, moving, moving, exposition(samples)) as url:
        assert run_verify(events_file, "--url", url, "--wait", "30") == 0


def test_waiting_gives_up_with_what_is_missing(
    events_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_scrape, "POLL_SECONDS", 0.01)
    lagging = exposition([]).replace('partition="0"} 0', 'partition="0"} 5')
    with worker(lagging) as url, pytest.raises(CommandError, match="events not read yet: 5"):
        run_verify(events_file, "--url", url, "--wait", "0.1")


def test_no_worker_and_no_address_are_one_clear_line(events_file: Path) -> None:
    with worker("") as url:
        pass
    with pytest.raises(CommandError, match="start a worker"):
        run_verify(events_file, "--url", url)
    with pytest.raises(CommandError, match="not the address of a worker"):
        run_verify(events_file, "--url", "file:///etc/hostname")
    with worker("<html>") as url, pytest.raises(CommandError, match="no metrics at"):
        run_verify(events_file, "--url", url)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with worker(exposition([])) as url, pytest.raises(CommandError, match=r"missing\.jsonl"):
        run_verify(tmp_path / "missing.jsonl", "--url", url)
    with pytest.raises(CommandError, match="name the files"):
        run_verify()


@pytest.mark.parametrize(
    "option", [("--as-of", "yesterday"), ("--as-of", "2024-02-29"), ("--wait", "-1")]
)
def test_an_option_that_cannot_be_used_is_refused(option: tuple[str, str]) -> None:
    with pytest.raises(argparse.ArgumentError, match=option[1]):
        run_verify("events.jsonl", *option)


def test_the_written_sql_computes_the_same_in_a_warehouse(
    truth: Gauges, events_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_verify("--sql", tmp_path / "sql") == 0
    written = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert written == sorted((tmp_path / "sql").iterdir())
    with duckdb.connect() as warehouse:
        warehouse.execute(
            "CREATE TABLE raw_events AS SELECT row_number() OVER () AS arrival, event "
            "FROM read_csv(?, columns = {event: 'VARCHAR'}, auto_detect = false, header = false, "
            "delim = '\x01', quote = '', escape = '')",
            [str(events_file)],
        )
        for path in written:
            warehouse.execute(path.read_text(encoding="utf-8"))
        rows = warehouse.sql("SELECT metric, value FROM metrics ORDER BY ALL").fetchall()
    assert rows == sorted((name, value) for name, _, value in truth.recomputed.samples)
