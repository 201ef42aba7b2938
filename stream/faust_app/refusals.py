"""Noticing that Kafka refuses us while the worker runs.

aiokafka tells of a refused connection in its log alone, and tries again several times a second,
for ever. A password that was changed does not change back by that.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiokafka.errors import (
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from stream.faust_app.fuse import BrokenWorldError
from stream.settings.kafka_refusals import certificate_not_trusted, login_refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.faust_app.fuse import Fuse
    from stream.settings import KafkaConnection

#: The log of every connection attempt of aiokafka's clients.
CONNECTIONS_LOG = "aiokafka"
REFUSED_LOGINS = (SaslAuthenticationFailed, UnsupportedSaslMechanismError, IllegalSaslStateError)


@contextmanager
def ending_when_refused(kafka: KafkaConnection, fuse: Fuse) -> Iterator[None]:
    """Burn the fuse at the first refused login or certificate, of any client in the process."""
    watch = _Watch(kafka, fuse)
    connections = logging.getLogger(CONNECTIONS_LOG)
    connections.addFilter(watch)
    try:
        yield
    finally:
        connections.removeFilter(watch)


class _Watch(logging.Filter):
    def __init__(self, kafka: KafkaConnection, fuse: Fuse) -> None:
        super().__init__()
        self._kafka = kafka
        self._fuse = fuse
        self._loop = asyncio.get_running_loop()

    def filter(self, record: logging.LogRecord) -> bool:
        """Look at the errors a line is about; let it pass, unless the worker's end will say it."""
        for error in record.args if isinstance(record.args, tuple) else ():
            reason = self._refusal(error)
            if reason is not None:
                # The consumer's connections belong to another thread.
                self._loop.call_soon_threadsafe(
                    self._fuse.burn, BrokenWorldError(reason), "connecting"
                )
                return False
        return True

    def _refusal(self, error: object) -> str | None:
        if isinstance(error, REFUSED_LOGINS):
            return login_refused(self._kafka)
        if isinstance(error, ssl.SSLCertVerificationError):
            return certificate_not_trusted(self._kafka, error)
        return None
