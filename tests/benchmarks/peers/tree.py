"""CPU time and memory of a process with all its children."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

#: Looking for new children reads all of /proc.
LOOK_SECONDS = 0.5


class Tree:
    """Sample it often: what a child uses after its last sample is not counted."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._members = {pid: self._root}
        self._cpu_seconds: dict[int, float] = {}
        self._looked = 0.0
        #: most resident bytes of all together, of any sample
        self.peak_bytes = 0

    @property
    def cpu_seconds(self) -> float:
        """User and system time of all, as last sampled; of ended ones too."""
        return sum(self._cpu_seconds.values())

    def sample(self) -> None:
        """Look at every member; those that have ended keep what they had."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            with suppress(psutil.NoSuchProcess):
                for child in self._root.children(recursive=True):
                    self._members.setdefault(child.pid, child)
        resident = 0
        for pid, process in self._members.items():
            with suppress(psutil.NoSuchProcess):
                used = process.cpu_times()
                self._cpu_seconds[pid] = used.user + used.system
                resident += process.memory_info().rss
        self.peak_bytes = max(self.peak_bytes, resident)
