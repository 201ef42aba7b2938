"""The connection we write through, and what the broker at its other end can do."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from aiokafka.errors import (
    IncompatibleBrokerVersion,
    TransactionalIdAuthorizationFailed,
    UnknownError,
    UnsupportedVersionError,
)
from faust.transport.drivers.aiokafka import Producer

from stream.faust_app.fuse import BrokenWorldError
from stream.faust_app.log import logger
from stream.faust_app.transaction_flush import no_coordinator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka import AIOKafkaProducer

PROBE_TIMEOUT_SECONDS = 30.0


class ChunkProducer(Producer):
    """Faust's producer, waiting for all replicas and never doubling a batch it sends again.

    The embedded broker refuses idempotence. There a batch may be doubled, which changes
    nothing: states replace each other, and forwarded events are known by their ids.
    """

    _idempotent = True
    #: Whether the broker knows transactions, known once started.
    transactional = False

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": self._idempotent}

    async def on_start(self) -> None:
        """Find out what the broker can do, then connect.

        Raises:
            BrokenWorldError: when it has transactions, but not for this worker.
        """
        self.transactional = await self._accepts(f"{self.app.conf.id}-probe")
        if not self.transactional:
            logger.info("this broker knows no transactions: fencing by lease only")
            self._idempotent = await self._accepts(None)
        await super().on_start()

    async def _accepts(self, transactional_id: str | None) -> bool:
        probe = self._new_producer(transactional_id)
        said_once = logging.getLogger("aiokafka.producer.sender")
        said_once.addFilter(_nothing)
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                await probe.start()
        except (UnknownError, UnsupportedVersionError, IncompatibleBrokerVersion):
            return False
        except TransactionalIdAuthorizationFailed:
            raise _not_allowed(self.app.conf.id) from None
        except TimeoutError:
            raise no_coordinator(PROBE_TIMEOUT_SECONDS) from None
        finally:
            said_once.removeFilter(_nothing)
            await probe.stop()
        return True

    @property
    def batches(self) -> AIOKafkaProducer:
        """The producer underneath, which takes whole batches."""
        return self._ensure_producer()


def _not_allowed(app_id: str) -> BrokenWorldError:
    return BrokenWorldError(
        "the broker does not allow this user transactions: allow it Write on the transactional "
        f"ids that begin with {app_id}- (kafka-acls.sh --transactional-id {app_id}- "
        "--resource-pattern-type prefixed --operation Write)"
    )


def _nothing(_record: logging.LogRecord) -> bool:
    return False
