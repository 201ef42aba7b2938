from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
FIRST_GAUGES = re.compile(r"first gauges [0-9.]+ s after start")
GAUGES = re.compile(r"as of (?P<as_of>\S+) .* \| (?P<store>\w+) \S+: (?P<active>[\d,]+) active")


class RunningDemo:
    """A demo process, its output line by line, and every process it started."""

    def __init__(self, process: subprocess.Popen[str], output: IO[str]) -> None:
        self.process = process
        self._output = output
        self.seen: list[str] = []

    def read_until(self, pattern: re.Pattern[str]) -> re.Match[str]:
        for line in self._output:
            self.seen.append(line)
            if found := pattern.search(line):
                return found
        raise AssertionError(f"ended without {pattern.pattern!r}: {''.join(self.seen)}")

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, word: str) -> psutil.Process:
        (found,) = (child for child in self.children() if word in child.cmdline())
        return found

    def finish(self) -> tuple[int, str]:
        output, errors = self.process.communicate(timeout=30)
        self.seen.append(output)
        return self.process.returncode, errors


@contextmanager
def demo(data_dir: Path, *options: str, windows: str = "30d,month") -> Iterator[RunningDemo]:
    with subprocess.Popen(
        [sys.executable, "-m", "stream", "demo", "--port", "0", *options],
        cwd=REPOSITORY,
        env={**os.environ, "RETENTION_DATA_DIR": str(data_dir), "RETENTION_WINDOWS": windows},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        running = RunningDemo(process, process.stdout)
        try:
            yield running
        finally:
            process.kill()


def left_over(children: list[psutil.Process]) -> list[psutil.Process]:
    return psutil.wait_procs(children, timeout=5)[1]


def test_sample_is_shown_until_the_end_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with demo(tmp_path, "--sample", "cdnow", "--duration", "1") as running:
        running.read_until(FIRST_GAUGES)
        children = running.children()
        shown = running.read_until(GAUGES)
        exit_code, errors = running.finish()
    assert shown["store"] == "cdnow"
    assert shown["as_of"].startswith(("1997-", "1998-"))
    assert (exit_code, errors) == (0, "")
    assert len(children) >= 2
    assert left_over(children) == []
    output = "".join(running.seen)
    assert re.search(r"page +http://127\.0\.0\.1:\d+/\n", output)
    assert re.search(r"metrics +http://127\.0\.0\.1:\d+/metrics\n", output)
    assert str(tmp_path / "demo") in output
    assert (tmp_path / "demo" / "worker.log").is_file()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_simulated_shop_runs_until_stopped_and_nothing_is_left_behind(
    stop: signal.Signals, tmp_path: Path
) -> None:
    with demo(tmp_path, "--scenario", "retention-drop") as running:
        assert running.read_until(GAUGES)["store"] == "shop"
        children = running.children()
        running.process.send_signal(stop)
        exit_code, errors = running.finish()
    assert (exit_code, errors) == (0, "")
    assert len(children) == 3
    assert left_over(children) == []


# It needs no browser; but two minutes, which the quick tests have not.
@pytest.mark.page
@pytest.mark.timeout(300)
def test_a_drop_and_its_alert_are_seen(tmp_path: Path) -> None:
    with demo(tmp_path, "--scenario", "retention-drop", windows="7d,30d") as running:
        running.read_until(re.compile("first come 200 days of trade"))
        running.read_until(re.compile("no Prometheus runs in the demo"))
        running.read_until(re.compile("retention-drop sets in$"))
        alert = running.read_until(
            re.compile(r"ALERT (\w+), (?:(\d+) h after|for more than a day)")
        )
        what_to_do = running.read_until(re.compile("what to do: (.+)"))
        running.process.send_signal(signal.SIGINT)
        exit_code, errors = running.finish()
    assert (exit_code, errors) == (0, "")
    assert alert[1] == "RetentionRateDropped"
    # None before there is anything to tell; how late it is seen depends on the machine.
    assert 8 <= int(alert[2] or 48) <= 48
    assert (REPOSITORY / what_to_do[1]).is_file()


def test_worker_that_dies_is_named_with_its_last_lines(tmp_path: Path) -> None:
    with demo(tmp_path) as running:
        running.read_until(FIRST_GAUGES)
        children = running.children()
        running.child("worker").kill()
        exit_code, errors = running.finish()
    assert exit_code == 1
    *log, last = errors.splitlines()
    assert last.startswith("error: the demo's worker ended with code -9; see ")
    assert log
    assert all(line.startswith("worker: ") for line in log)
    assert left_over(children) == []


def test_killed_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    with demo(tmp_path) as running:
        running.read_until(re.compile("^waiting"))
        children = running.children()
        running.process.kill()
    assert len(children) == 2
    assert left_over(children) == []
