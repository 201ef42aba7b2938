"""A child process that cannot outlive its parent, and whose output is kept for when it fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STOP_TIMEOUT_SECONDS = 10.0

# Run by a fresh interpreter that then becomes the program. It asks the kernel to be killed with
# its parent (Linux; elsewhere a killed parent leaves its children), and checks that the parent
# did not end before that. A preexec_fn would do the same but may deadlock under threads.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""


class ChildProcess:
    """A running program with its standard output and error in a log file.

    It is in a process group of its own, so that Ctrl-C in the terminal reaches only the parent,
    which stops its children in the right order. The kernel ties it to the thread that creates it:
    create it in a thread that lives as long as it.
    """

    def __init__(self, name: str, command: Sequence[str], log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        log_path.parent.mkdir(parents=True, exist_ok=True)
        guard = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid())]
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                [*guard, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: ended by that signal."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait until it ends by itself; its exit code."""
        return self._process.wait()

    def stop(self, stop_signal: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, kill it when it does not; returns when it is gone."""
        if self._process.poll() is None:
            self._process.send_signal(stop_signal)
        try:
            self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_lines(self, count: int = 8) -> list[str]:
        """The end of what it has written, without empty lines."""
        text = self.log_path.read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if line.strip()][-count:]
