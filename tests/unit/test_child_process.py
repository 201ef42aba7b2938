from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from stream.tools import child_process
from stream.tools.child_process import ChildProcess

SLEEP = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(60)"]
DEAF_SCRIPT = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("awake", flush=True)
time.sleep(60)
"""
DEAF = [sys.executable, "-c", DEAF_SCRIPT]


def await_output(child: ChildProcess) -> None:
    deadline = time.monotonic() + 10
    while not child.last_lines():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_output_and_errors_are_kept_and_the_exit_code_is_told(tmp_path: Path) -> None:
    child = ChildProcess("c", ["sh", "-c", "echo one; echo; echo two >&2; exit 7"], tmp_path / "l")
    assert child.wait() == 7
    assert child.exit_code == 7
    assert child.last_lines() == ["one", "two"]
    assert child.last_lines(1) == ["two"]


def test_stop_ends_it(tmp_path: Path) -> None:
    child = ChildProcess("c", SLEEP, tmp_path / "new" / "log")
    await_output(child)
    child.stop()
    assert child.exit_code == -signal.SIGTERM
    child.stop()


def test_exit_code_is_none_while_it_runs(tmp_path: Path) -> None:
    child = ChildProcess("c", SLEEP, tmp_path / "log")
    assert child.exit_code is None
    child.stop()


def test_stop_kills_what_does_not_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_process, "STOP_TIMEOUT_SECONDS", 0.2)
    child = ChildProcess("c", DEAF, tmp_path / "log")
    await_output(child)
    child.stop()
    assert child.exit_code == -signal.SIGKILL


def test_interrupt_in_the_terminal_does_not_reach_it(tmp_path: Path) -> None:
    child = ChildProcess("c", SLEEP, tmp_path / "log")
    assert os.getpgid(child.pid) != os.getpgid(0)
    child.stop()


# The call that does it, prctl, is Linux's; elsewhere a stop in order is all there is.
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent's life")
def test_it_dies_with_its_parent_even_when_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from stream.tools.child_process import ChildProcess\n"
        f"child = ChildProcess('c', {SLEEP!r}, Path({str(tmp_path / 'log')!r}))\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        while not (tmp_path / "log").read_text():
            time.sleep(0.01)
        assert not gone(pid)
        parent.kill()
    deadline = time.monotonic() + 10
    while not gone(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)
