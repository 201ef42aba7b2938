"""Load from outside: a file of simulated events, and a process that sends it at a steady rate."""

from __future__ import annotations

import time
from itertools import chain, islice
from pathlib import Path

from stream.tools.child_process import ChildProcess
from stream.tools.shop_bulk import BULK_DAYS, bulk_events
from stream.tools.shop_scenario import DAY_MS
from stream.tools.shop_shares import DeliveryShares, OrderShares
from tests.benchmarks.peers.catalogue import HOMES

#: More of what is costly than a common shop has.
LATE, TWICE, CANCELLED = 0.05, 0.03, 0.03


def write_events(path: Path, events: int, customers: int, stores: int = 1) -> None:
    """A file of events that end about now, of so many stores in turn.

    Args:
        customers: of all stores together.
    """
    start_ms = time.time_ns() // 1_000_000 - (BULK_DAYS + 6) * DAY_MS
    shops = [
        bulk_events(
            customers=max(1, customers // stores),
            # Late ones at the end are not in the first so many.
            events=-(-events // stores),
            seed=number + 1,
            store=f"store-{number}",
            start_ms=start_ms,
            orders=OrderShares(returned=0.02, cancelled=CANCELLED),
            delivery=DeliveryShares(late=LATE, duplicate=TWICE),
        )
        for number in range(stores)
    ]
    with path.open("wb") as file:
        together = chain.from_iterable(zip(*shops, strict=True))
        file.writelines(delivery.line + b"\n" for delivery in islice(together, events))


class Feeder:
    """The process that sends so many events of a file, from its beginning again at its end."""

    def __init__(self, broker: str, path: Path, rate: float, events: int) -> None:
        python = HOMES / "confluent" / "bin" / "python"
        if not python.exists():
            raise RuntimeError("no confluent-kafka to send with: run scripts/install_peers.sh")
        self._process = ChildProcess(
            "feeder",
            [
                *(str(python), "-m", "tests.benchmarks.feeder"),
                *(broker, str(path), str(rate), str(events)),
            ],
            path.with_suffix(".log"),
        )

    @property
    def running(self) -> bool:
        """Whether it still sends."""
        return self._process.exit_code is None

    def finish(self) -> tuple[int, float]:
        """Wait until it has sent all: how many, in how many seconds.

        Raises:
            RuntimeError: when it failed.
        """
        if self._process.wait():
            raise RuntimeError("the feeder failed: " + " | ".join(self._process.last_lines(2)))
        sent, seconds = self._process.last_lines(1)[0].split()
        return int(sent), float(seconds)

    def stop(self) -> None:
        """End it now."""
        self._process.stop()
