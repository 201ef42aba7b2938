"""Restoring the customers when partitions arrive, in batches, without Faust's hot path."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from aiokafka.errors import IllegalStateError
from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from mode import Service

from stream.faust_app.changelog_reader import ChangelogReader
from stream.faust_app.fuse import BrokenWorldError
from stream.faust_app.log import logger
from stream.faust_app.read_ahead import read_ahead

if TYPE_CHECKING:
    from stream.engine import Engine
    from stream.faust_app.fuse import Fuse


class BatchRecovery(Recovery):
    """Faust's recovery with another way of reading, and an end to every wait.

    Only shards that are not ready yet are restored, so partitions kept over a rebalance are
    not read again, and those a rebalance interrupted are read anew.
    """

    #: What is being read, for its progress.
    reader: ChangelogReader | None = None

    @property
    def _engine(self) -> Engine:
        engine: Engine = self.app.engine
        return engine

    @Service.task  # type: ignore[untyped-decorator] # mode is untyped here
    async def _restart_recovery(self) -> None:
        fuse: Fuse = self.app.fuse
        while not await self.wait_for_stopped(self.signal_recovery_start):
            self.signal_recovery_start.clear()
            try:
                await self._recover(self._generation_id)
            except (RebalanceAgain, IllegalStateError):
                logger.info("another rebalance began during recovery")
            except ServiceStopped:
                # Faust reports a wait that took too long in the same way.
                if self.should_stop:
                    return
                fuse.burn(_too_slow(), "recovering")
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the worker has to end
                fuse.burn(error, "recovering")
                return

    async def _recover(self, generation_id: int) -> None:
        self._set_recovery_started()
        await self._wait(self._restore())
        self.app.consumer.allow_seek()
        await self._wait(self.on_recovery_completed(generation_id))

    async def _restore(self) -> None:
        owned = {tp.partition for tp in self.active_tps}
        # Before anything is read: what earlier owners wrote must have come to its end.
        await self.app.consumer.flush.take_over(owned)
        partitions = owned - self._engine.ready_partitions
        if not partitions:
            return
        for partition in partitions:
            # A rebalance may have interrupted an earlier read half way.
            self._engine.revoke(partition)
            self._engine.assign(partition)
        started_at = time.monotonic()
        topic: str = self.app.customers_changelog
        records = {partition: self._engine.records_of(partition) for partition in partitions}
        self.reader = ChangelogReader(self.app.kafka, topic, records)
        try:
            async with aclosing(read_ahead(self.reader.partitions())) as read:
                async for partition in read:
                    self._engine.finish_restore(partition)
                    await asyncio.sleep(0)
            logger.info(
                "restored %d partitions from %d changelog records in %.1f s",
                len(partitions),
                self.reader.progress[1],
                time.monotonic() - started_at,
            )
        finally:
            self.reader = None
        # The state lives as long as its partition; full collections need not walk it each time.
        gc.collect()
        gc.freeze()

    @Service.task  # type: ignore[untyped-decorator] # mode is untyped here
    async def _slurp_changelogs(self) -> None:
        """Nothing: Faust would take changelog records one by one from its queue."""

    @Service.task  # type: ignore[untyped-decorator] # mode is untyped here
    async def _publish_stats(self) -> None:
        """Nothing: the reader logs its own progress."""


class BatchTableManager(TableManager):
    """Faust's table manager with our recovery, and without its second of sleep at start."""

    _recovery: BatchRecovery | None

    @property
    def recovery(self) -> BatchRecovery:
        """The recovery, made when first asked for."""
        if self._recovery is None:
            self._recovery = BatchRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        """Register the table, then wait for partitions."""
        await self._update_channels()
        await self.recovery.start()


def _too_slow() -> BrokenWorldError:
    return BrokenWorldError(
        "the broker took too long to give the committed offsets; "
        "check the brokers, then start the worker again"
    )
