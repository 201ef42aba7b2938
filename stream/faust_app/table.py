"""The customers as a Faust table: its data lives in the engine, one shard for each partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import faust
from faust.stores.memory import Store

from stream.faust_app.fuse import BrokenWorldError
from stream.faust_app.log import logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from faust.types import TP

    from stream.engine import Engine

TABLE_NAME = "customers"


class ShardStore(Store):
    """Opens and drops the engine's shards as their changelog partitions come and go.

    The mapping itself stays empty: agents give the engine whole chunks, and the outbox takes
    from it what changed.
    """

    @property
    def _engine(self) -> Engine:
        engine: Engine = self.app.engine
        return engine

    async def on_rebalance(
        self,
        assigned: set[TP],
        revoked: set[TP],
        newly_assigned: set[TP],
        generation_id: int = 0,
    ) -> None:
        """Drop the shards that left before opening those that came: one may be in both sets."""
        _check_copartitioned(assigned)
        changelog = self.table.changelog_topic_name
        gone = _partitions(changelog, revoked)
        come = _partitions(changelog, newly_assigned)
        for partition in gone:
            self._engine.revoke(partition)
            self.app.intake.forget(partition)
        for partition in come:
            self._engine.assign(partition)
        # In the same step as the shards: nobody may see one without the other.
        self.app.shards_generation = generation_id
        logger.info(
            "partitions: %d assigned, %d of them new, %d revoked",
            len(_partitions(changelog, assigned)),
            len(come),
            len(gone),
        )


class CustomersTable(faust.Table):
    """The table ``customers`` with its compacted changelog topic."""

    def _new_store(self) -> ShardStore:
        return ShardStore("memory://", self.app, self, table_name=self.name, loop=self.loop)


def _partitions(topic: str, tps: Iterable[TP]) -> list[int]:
    return sorted(tp.partition for tp in tps if tp.topic == topic)


def _check_copartitioned(assigned: Iterable[TP]) -> None:
    by_topic: dict[str, set[int]] = {}
    for tp in assigned:
        by_topic.setdefault(tp.topic, set()).add(tp.partition)
    owned = set[int]().union(*by_topic.values())
    for topic, partitions in by_topic.items():
        if partitions != owned:
            raise BrokenWorldError(
                f"topic {topic} has other partitions than the rest; see: retention-stream topics"
            )
