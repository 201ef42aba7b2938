"""Sends records while the test does its worst: a thread with a pace, and no end before its time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

from kafka import KafkaProducer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from tests.chaos.workload import Sent

#: Longer than any outage a test makes.
DELIVERY_TIMEOUT_MS = 180_000
PACE_RECORDS = 50


class Feeder:
    """Sends every record once, in order, over ``seconds`` or as fast as it goes.

    Leaving the block without an error waits until all are acknowledged. A producer that cannot
    deliver in time raises there.
    """

    def __init__(self, broker: str, records: Sequence[Sent], *, seconds: float = 0.0) -> None:
        self._records = records
        self._seconds = seconds
        self._error: BaseException | None = None
        self._finished = threading.Event()
        self._sent = 0
        self._producer = KafkaProducer(
            bootstrap_servers=broker,
            acks="all",
            enable_idempotence=True,
            delivery_timeout_ms=DELIVERY_TIMEOUT_MS,
            max_block_ms=DELIVERY_TIMEOUT_MS,
            linger_ms=5,
            batch_size=65_536,
            metrics_enabled=False,
        )
        self._thread = threading.Thread(target=self._run, name="feeder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_value is not None:
            self._finished.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def finish(self) -> int:
        """Send no more; how many were sent, all acknowledged once the block is left."""
        self._finished.set()
        self._thread.join()
        return self._sent

    @property
    def share_sent(self) -> float:
        """How much of all is handed over, 0 to 1."""
        return self._sent / len(self._records)

    @property
    def done(self) -> bool:
        """Whether all is sent and acknowledged, or sending failed."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._send_all()
        except BaseException as error:  # noqa: BLE001 - raised again where the block is left
            self._error = error

    def _send_all(self) -> None:
        started = time.monotonic()
        failures: list[BaseException] = []
        pause = self._seconds / len(self._records)
        try:
            for number, record in enumerate(self._records):
                if number % PACE_RECORDS == 0:
                    early = started + number * pause - time.monotonic()
                    if self._finished.wait(max(0.0, early)):
                        break
                future = self._producer.send(
                    record.topic, record.line, record.key, partition=record.partition
                )
                future.add_errback(failures.append)
                self._sent = number + 1
            self._producer.flush()
            if failures:
                raise failures[0]
        finally:
            self._producer.close()
