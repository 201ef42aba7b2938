"""``history``: the past as OpenMetrics, as a worker tells it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from stream.cli import run_command
from stream.domain.catalogue import CATALOGUE
from stream.domain.metrics import samples
from stream.publish.api.requests import WITHOUT_PAST
from stream.publish.gauge_text import label_text
from stream.settings import Secret, load_settings
from stream.tools.console import CommandError
from stream.tools.history import command
from stream.tools.history.openmetrics import number_text
from tests.support.served import served
from tests.support.worker import NOW_MS, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

DAY_MS = 86_400_000
#: Ten days before the worker's now, which is 2023-11-14T22:13:20Z, to the second.
START = "2023-11-04T22:13:20Z"
ODD_STORE = 'a "store" \\ of\nlines'
HISTOGRAM = "retention_order_gap_seconds"
#: The library has no types.
parse_openmetrics: Callable[[str], Iterable[Any]] = text_string_to_metric_families
Found = dict[tuple[str, frozenset[tuple[str, str]], float], float]


@pytest.fixture
def worker() -> Worker:
    worker = Worker()
    worker.restore()
    for number in range(12):
        worker.purchase(
            f"c-{number % 5}",
            f"o-{number}",
            occurred_at=(NOW_MS - number * 2 * DAY_MS) / 1000,
            attributes={"channel": "web" if number % 2 else "shop"},
        )
    worker.purchase("ann", "1", store=ODD_STORE)
    return worker


@pytest.fixture
def address(worker: Worker) -> Iterator[str]:
    with served(worker) as address:
        yield address


def history(address: str, *arguments: str, token: str = "") -> int:
    parser = ArgumentParser()
    command.add_arguments(parser)
    settings = load_settings({"RETENTION_WEB_TOKEN": token} if token else {})
    return command.run(settings, parser.parse_args(["--url", address, *arguments]))


def read(text: str) -> Found:
    """Every sample, from a parser that minds the order of families, metrics and times."""
    # Of a histogram's second instant that parser drops all but one line, so it gets one at a time.
    lines = text.splitlines(keepends=True)
    gauges = "".join(line for line in lines if HISTOGRAM not in line)
    instants = dict.fromkeys(line.split()[-1] for line in lines if line.startswith(HISTOGRAM))
    of_instants = (
        "".join(line for line in lines if HISTOGRAM in line and (line[0] == "#" or at in line))
        for at in instants
    )
    found: Found = {}
    for part in (gauges, *(f"{each}# EOF\n" for each in of_instants)):
        for family in parse_openmetrics(part):
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()), float(sample.timestamp))
                assert key not in found
                found[key] = sample.value
    return found


def told(worker: Worker, at_ms: Sequence[int], *more: tuple[str, str]) -> Found:
    """What the engine says of these instants."""
    return {
        (one.name + one.suffix, frozenset((*one.labels, *more)), at / 1000): one.value
        for at in at_ms
        for one in samples(worker.engine.totals(at))
        if one.name not in WITHOUT_PAST
    }


def test_every_gauge_at_every_step(
    address: str, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert history(address, "--from", START, "--step", "1d") == 0

    text = capsys.readouterr().out
    assert text.endswith("\n# EOF\n")
    found = read(text)
    assert found == told(worker, range(NOW_MS - 10 * DAY_MS, NOW_MS + 1, DAY_MS))
    assert len({at for *_, at in found}) == 11
    assert {name for name in CATALOGUE if f"# TYPE {name} " in text} >= {
        "retention_customers",
        "retention_order_gap_seconds",
        "retention_window_mature",
    }


def test_a_file_is_written_whole_and_its_use_is_told(
    address: str, worker: Worker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "past.om"
    times = ("--from", START, "--to", "2023-11-05T22:13:20.500Z", "--step", "12h")
    labels = ("--label", "job=retention", "--label", 'note=a "b"')

    assert history(address, *times, *labels, "--output", str(path)) == 0

    start = NOW_MS - 10 * DAY_MS
    at_ms = range(start, start + DAY_MS + 501, DAY_MS // 2)
    found = read(path.read_text(encoding="utf-8"))
    assert found == told(worker, at_ms, ("job", "retention"), ("note", 'a "b"'))
    assert [each.name for each in tmp_path.iterdir()] == ["past.om"]
    said = capsys.readouterr().out
    assert said.startswith(f"{len(found):,} samples of ")
    assert f"at 3 instants; now: promtool tsdb create-blocks-from openmetrics {path} " in said


def test_a_histogram_stands_together_instant_by_instant(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    history(address, "--from", START, "--step", "5d", "--name", HISTOGRAM, "--store", "default")

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        f"# TYPE {HISTOGRAM} histogram",
        f"# HELP {HISTOGRAM} {CATALOGUE[HISTOGRAM].help}",
    ]
    assert lines[-1] == "# EOF"
    series = [line.rpartition("} ")[0] for line in lines[2:-1]]
    times = [line.split()[-1] for line in lines[2:-1]]
    of_one = len(series) // 3
    assert series == series[:of_one] * 3
    assert times == [at for at in dict.fromkeys(times) for _ in range(of_one)]
    assert times == sorted(times)


def test_instants_between_seconds_keep_their_milliseconds(
    address: str, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    history(address, "--from", "1699999999.25", "--to", "1699999999.25", "--step", "5m")

    assert read(capsys.readouterr().out) == told(worker, [1_699_999_999_250])


def test_only_what_was_asked_for(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    only = ("--name", "retention_orders", "--window", "7d", "--dimension", "channel")
    history(address, "--from", START, "--step", "5d", *only, "--store", "default")

    assert {
        (name, dict(labels)["segment"]) for name, labels, _ in read(capsys.readouterr().out)
    } == {
        ("retention_orders", "web"),
        ("retention_orders", "shop"),
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", START, "--to", "2023-11-15T00:00:00Z"), "--to is in the future"),
        (("--from", START, "--to", "2023-11-03T00:00:00Z"), "--from is after --to, which is 2023-"),
        (("--from", "2023-11-15T00:00:00Z"), "--from is after --to, which is 2023-11-14T22:13:20"),
        (("--from", START, "--name", "retention"), "refuses: unknown metric 'retention'"),
        (("--from", START, "--store", "nowhere"), "there is no sample of that"),
        (("--from", "-5", "--to", "5"), "is not from 1970 to 2099"),
    ],
)
def test_what_cannot_be_told_is_told_in_one_line(
    address: str, arguments: tuple[str, ...], says: str
) -> None:
    with pytest.raises(CommandError, match=says) as refused:
        history(address, "--step", "1d", *arguments)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--from", "yesterday"),
        ("--from", "2023-11-04"),
        ("--from", START, "--step", "daily"),
        ("--from", START, "--label", "job"),
        ("--from", START, "--label", "a-b=c"),
        ("--from", START, "--label", "window=7d"),
        ("--from", START, "--label", "le=7"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(["history", *arguments])
    assert ended.value.code == 2


def test_without_a_worker_it_says_what_to_start(address: str) -> None:
    with pytest.raises(CommandError, match=r"no API at http://127.0.0.1:1 .*start a worker"):
        history("http://127.0.0.1:1", "--from", START)
    with pytest.raises(CommandError, match="write http://host:port"):
        history("127.0.0.1:6066", "--from", START)
    # What answers something else is no worker.
    with pytest.raises(CommandError, match="refuses: Not Found"):
        history(f"{address}/nowhere", "--from", START)


def test_the_token_is_shown_and_asked_for(
    worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    token = "a-token-of-enough-characters"  # noqa: S105 - made up
    with served(worker, Secret(token)) as address:
        assert history(address, "--from", START, "--step", "5d", token=token) == 0
        assert capsys.readouterr().out.endswith("# EOF\n")
        with pytest.raises(CommandError, match="set RETENTION_WEB_TOKEN"):
            history(address, "--from", START)


def test_it_waits_for_a_worker_that_cannot_tell_yet(
    address: str,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    waited = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        worker.partitions_expected = 2 if len(waited) < 3 else 1

    monkeypatch.setattr("time.sleep", sleep)
    worker.partitions_expected = 2

    assert history(address, "--from", START, "--step", "5d") == 0
    assert len(waited) == 3
    assert capsys.readouterr().out.endswith("# EOF\n")


def test_its_patience_ends(address: str, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PATIENCE_SECONDS", 0.0)
    worker.another_speaks = True

    with pytest.raises(CommandError, match=r"another worker speaks.*shows the business gauges"):
        history(address, "--from", START)


def test_labels_are_written_once_for_all_formats() -> None:
    assert label_text("store", ODD_STORE) == r'store="a \"store\" \\ of\nlines"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (12_345_678.0, "12345678"),
        (2.0**53, "9007199254740992"),
        (10_000_000_000_000.01, "10000000000000.01"),
        (1 / 3, "0.3333333333333333"),
        (1e-7, "1e-07"),
    ],
)
def test_numbers_are_written_whole_and_exact(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_no_metric_has_is_a_bug_not_a_sample(value: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        number_text(value)
