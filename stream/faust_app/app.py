"""The Faust app, put together from our parts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import faust
from mode.utils.queues import ThrowableQueue
from yarl import URL

from stream.faust_app.agents import add_agents
from stream.faust_app.credentials import broker_credentials
from stream.faust_app.flush import look_away
from stream.faust_app.fuse import Fuse
from stream.faust_app.give_way import LongSteps
from stream.faust_app.intake import Intake
from stream.faust_app.recovery import BatchTableManager
from stream.faust_app.table import TABLE_NAME, CustomersTable
from stream.faust_app.transport import ChunkTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from faust.types import TP

    from stream.engine import Engine
    from stream.faust_app.flush import FlushObserver
    from stream.settings import KafkaConnection, Settings

#: One fetch gives at most so many records of a partition, so that one chunk is applied in a
#: moment and the event loop can answer in between.
CHUNK_MAX_RECORDS = 10_000
#: Chunks an agent may have waiting; beyond, fetching waits for it.
CHUNKS_WAITING = 4
FETCH_MAX_BYTES_PER_PARTITION = 4 * 1024 * 1024
#: Two may be lost before a session ends.
HEARTBEATS_PER_SESSION = 3
REBALANCE_TIMEOUT_SECONDS = 30.0
#: A join waits for the other members, so longer than a rebalance; and never below a session.
BROKER_REQUEST_TIMEOUT_SECONDS = 40.0
PRODUCE_TIMEOUT_SECONDS = 30.0


class ChunkQueue(ThrowableQueue):
    """A queue that makes the fetcher wait when it is full.

    Faust's own way, to leave out partitions under pressure, ends in a second of sleep as soon
    as all are left out.
    """

    def in_pressure_high_state(self, callback: Callable[[], None]) -> bool:  # noqa: ARG002 - Faust's signature
        """Never: being full is enough."""
        return False


class RetentionApp(faust.App):
    """A Faust app whose messages are chunks and whose table lives in the engine."""

    engine: Engine
    intake: Intake
    fuse: Fuse
    #: Of agents and flush.
    long_steps: LongSteps
    observe_flush: FlushObserver
    #: The changelog topic of the customers.
    customers_changelog: str
    #: The topic of changes of their stages.
    lifecycle_topic: str
    kafka: KafkaConnection
    #: The consumer group's generation that gave the engine the shards it has now.
    shards_generation: int | None = None
    _assignment: set[TP] | None
    _assigned_generation: int | None = None

    def _new_transport(self) -> ChunkTransport:
        return ChunkTransport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> ChunkTransport:
        return ChunkTransport(self.conf.broker_producer, self)

    def FlowControlQueue(  # noqa: N802 - Faust's name
        self,
        maxsize: int | None = None,  # noqa: ARG002 - chunks, not records, are counted here
        *,
        clear_on_resume: bool = False,
    ) -> ChunkQueue:
        """A queue of a few chunks."""
        return ChunkQueue(
            maxsize=CHUNKS_WAITING, flow_control=self.flow_control, clear_on_resume=clear_on_resume
        )

    def _create_directories(self) -> None:
        """None: nothing is kept on disk."""

    def _update_assignment(self, assigned: set[TP]) -> tuple[set[TP], set[TP]]:
        """What left and what came, taking a partition for kept only if it surely was.

        A worker that missed a generation does not know who owned its partitions meanwhile.
        """
        before = self._assignment or set()
        generation = self.consumer_generation_id
        follows = self._assigned_generation in (None, generation - 1)
        # What could not be committed before the partitions went is read again, into the state
        # of before: in the one that has it already, late events would look replayed.
        follows = follows and not self.intake.has_uncommitted
        self._assigned_generation = generation
        self._assignment = assigned
        kept = assigned & before if follows else set()
        return before - kept, assigned - kept


def create_app(
    settings: Settings, engine: Engine, observe_flush: FlushObserver = look_away
) -> RetentionApp:
    """The app for these settings, not yet started. Call it where its event loop runs.

    Args:
        settings: where the broker is, and the names of topics.
        engine: gets every event, gives the state to keep; used by this app alone.
        observe_flush: told of the steps of every flush.
    """
    app = RetentionApp(
        settings.app_id,
        broker=[URL(f"kafka://{server}") for server in settings.broker.split(",")],
        broker_credentials=broker_credentials(settings.kafka),
        TableManager=BatchTableManager,
        autodiscover=False,
        datadir=settings.data_dir,
        web_enabled=False,
        broker_commit_interval=settings.commit_interval_seconds,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / HEARTBEATS_PER_SESSION,
        broker_rebalance_timeout=REBALANCE_TIMEOUT_SECONDS,
        broker_request_timeout=max(
            BROKER_REQUEST_TIMEOUT_SECONDS, settings.session_timeout_seconds
        ),
        broker_max_poll_records=CHUNK_MAX_RECORDS,
        consumer_max_fetch_size=FETCH_MAX_BYTES_PER_PARTITION,
        consumer_auto_offset_reset="earliest",
        producer_request_timeout=PRODUCE_TIMEOUT_SECONDS,
        stream_wait_empty=False,
        table_standby_replicas=0,
        topic_partitions=settings.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
    )
    app.engine = engine
    app.fuse = Fuse()
    app.long_steps = LongSteps()
    app.observe_flush = observe_flush
    app.intake = Intake(
        engine,
        wall_clock_ms,
        dead_letter_topic=settings.topic_dead_letters,
        rerouted_topic=settings.topic_rerouted,
    )
    app.customers_changelog = settings.changelog_topic
    app.lifecycle_topic = settings.topic_lifecycle
    app.kafka = settings.kafka
    _add_table(app, settings)
    add_agents(app, (*settings.source_topics, settings.topic_rerouted))
    return app


def wall_clock_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _add_table(app: Any, settings: Settings) -> None:  # noqa: ANN401 - Faust is untyped here
    app.tables.add(CustomersTable(app, name=TABLE_NAME, partitions=settings.partitions))
