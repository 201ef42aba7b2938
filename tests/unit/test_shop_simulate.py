from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest

from stream.cli import run_command
from stream.tools.console import CommandError
from stream.tools.shop import ShopConfig, shop_events
from stream.tools.shop_options import HEAD_START_DAYS, HISTORY_DAYS, add_arguments, simulation
from stream.tools.shop_scenario import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from pathlib import Path

START_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
NOW_MS = START_MS + 600 * DAY_MS + 12_345_678


def parsed(*options: str) -> Namespace:
    parser = ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(options)


def test_by_default_history_ends_now_and_real_time_follows() -> None:
    asked = simulation(parsed(), NOW_MS)
    assert asked.pace.live_from_ms == NOW_MS
    assert asked.pace.speed == 1
    assert asked.pace.rate is None
    assert NOW_MS - asked.shop.start_ms == pytest.approx(HISTORY_DAYS * DAY_MS, abs=HOUR_MS)


@pytest.mark.parametrize("options", [("--speed", "3600"), ("--rate", "100")])
def test_faster_time_begins_further_back(options: tuple[str, str]) -> None:
    asked = simulation(parsed(*options), NOW_MS)
    assert asked.pace.live_from_ms == NOW_MS - HEAD_START_DAYS * DAY_MS
    assert asked.pace.live_from_ms - asked.shop.start_ms >= HISTORY_DAYS * DAY_MS


def test_a_start_fixes_every_event_whenever_it_runs() -> None:
    options = parsed("--start", "2025-01-01", "--history-days", "30", "--scenario-at", "-5")
    asked, later = (simulation(options, now_ms) for now_ms in (NOW_MS, NOW_MS + 7 * DAY_MS))
    assert asked == later
    assert asked.shop.start_ms == START_MS
    assert asked.pace.live_from_ms == START_MS + 30 * DAY_MS
    assert asked.shop.scenario_from_day == 25


def test_every_share_reaches_the_shop() -> None:
    shares = {
        "--guest-share": 0.11,
        "--return-share": 0.12,
        "--cancel-share": 0.13,
        "--late-share": 0.14,
        "--duplicate-share": 0.15,
        "--bad-share": 0.16,
    }
    options = [text for option, share in shares.items() for text in (option, str(share))]
    shop = simulation(parsed(*options), NOW_MS).shop
    assert (shop.newcomers.guest, shop.orders.returned, shop.orders.cancelled) == (0.11, 0.12, 0.13)
    assert (shop.delivery.late, shop.delivery.duplicate, shop.delivery.bad) == (0.14, 0.15, 0.16)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--speed", "0"), "the speed must be above 0"),
        (("--rate", "-1"), "the rate must be above 0"),
        (("--late-share", "2"), "the late share must be 0 to 1, not 2"),
        (("--history-days", "-1"), "--history-days must be 0 or more"),
        (("--start", "2026-12-01"), "take an earlier --start"),
        (("--customers-per-day", "0"), "customers per day must be"),
    ],
)
def test_an_option_that_cannot_be_is_refused(options: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        simulation(parsed(*options), NOW_MS)


def test_a_day_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--start", "yesterday")
    assert "'yesterday' is not a day like 2025-01-31" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["shop.jsonl", "shop.jsonl.gz"])
def test_the_command_writes_the_shop_to_a_file(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    options = ("--start", "2025-01-01", "--history-days", "20", "--duration", "0", "--seed", "9")
    code = run_command(["simulate", "--output", str(path), "--customers-per-day", "50", *options])
    assert code == 0
    content = path.read_bytes()
    lines = (gzip.decompress(content) if name.endswith(".gz") else content).splitlines()
    config = ShopConfig(start_ms=START_MS, seed=9, customers_per_day=50)
    until_ms = START_MS + 20 * DAY_MS
    shop = takewhile(lambda one: one.arrival_ms < until_ms, shop_events(config))
    assert lines == [one.line for one in shop]
    assert f"sent {len(lines):,} events of history" in capsys.readouterr().out


def test_a_file_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "missing" / "shop.jsonl"
    assert run_command(["simulate", "--output", str(path)]) == 1
    assert capsys.readouterr().err == f"error: {path}: No such file or directory\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    path = tmp_path / "shop.jsonl"
    command = [sys.executable, "-m", "stream", "simulate", "--output", str(path)]
    command += ["--history-days", "2", "--rate", "200"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not (path.exists() and path.stat().st_size):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    lines = path.read_bytes().splitlines()
    assert all(json.loads(line) for line in lines)
    assert out.startswith(b"sent ")
