"""The names inside Faust, mode and aiokafka that the worker relies on, in their exact versions.

An upgrade that renames or reshapes one of them fails here, before it can lose an event. Read the
new source, follow the change in ``stream/faust_app``, and only then change the line here.
"""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import TYPE_CHECKING

import aiokafka
import faust
import mode
import pytest
from aiokafka import client
from aiokafka.consumer import fetcher, group_coordinator, subscription_state
from aiokafka.producer import message_accumulator, sender, transaction_manager
from faust import stores
from faust.agents import agent
from faust.stores import memory
from faust.tables import manager, recovery
from faust.tables import table as tables
from faust.transport import conductor, consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import ConsumerMessage
from mode import threads
from mode.utils import queues

from stream.faust_app.refusals import CONNECTIONS_LOG

if TYPE_CHECKING:
    from types import FunctionType

VERSIONS = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}

#: What is overridden or called, with the names of its parameters.
SIGNATURES = [
    # transport.py, producer.py
    (driver.Consumer._to_message, "self tp record"),
    (driver.Consumer._new_consumer_thread, "self"),
    (driver.Consumer.verify_event_path, "self now tp"),
    (consumer.ThreadDelegateConsumer.seek_to_committed, "self"),
    (consumer.Consumer.on_partitions_revoked, "self revoked"),
    (consumer.Consumer.commit, "self topics start_new_transaction"),
    (consumer.Consumer.force_commit, "self topics start_new_transaction"),
    (consumer.Consumer.commit_and_end_transactions, "self"),
    (consumer.Consumer.maybe_wait_for_commit_to_finish, "self"),
    (consumer.Consumer._commit_offsets, "self offsets start_new_transaction"),
    (consumer.Consumer.perform_seek, "self"),
    (driver.Producer._settings_extra, "self"),
    (driver.Producer._new_producer, "self transactional_id"),
    (driver.Producer._ensure_producer, "self"),
    (driver.Producer.on_start, "self"),
    (faust.Schema.loads_key, "self app message loads serializer"),
    (faust.Schema.loads_value, "self app message loads serializer"),
    # consumer_thread.py
    (driver.AIOKafkaConsumerThread._create_worker_consumer, "self transport"),
    (driver.AIOKafkaConsumerThread.seek_to_committed, "self"),
    (driver.AIOKafkaConsumerThread.on_thread_stop, "self"),
    (driver.AIOKafkaConsumerThread._ensure_consumer, "self"),
    (
        driver.AIOKafkaConsumerThread._fetch_records,
        "self consumer active_partitions timeout max_records",
    ),
    (consumer.ConsumerThread.on_partitions_assigned, "self assigned generation_id"),
    (threads.QueueServiceThread.call_thread, "self fun args kwargs"),
    (fetcher.Fetcher.fetched_records, "self partitions timeout max_records"),
    (fetcher.Fetcher._create_fetch_waiter, "self"),
    (fetcher.PartitionRecords._consumer_record, "self tp record"),
    (group_coordinator.GroupCoordinator._do_heartbeat, "self"),
    (group_coordinator.GroupCoordinator._send_req, "self request"),
    (subscription_state.SubscriptionState.fetch_context, "self"),
    (subscription_state.SubscriptionState.is_assigned, "self tp"),
    (subscription_state.Assignment.state_value, "self tp"),
    # record_batches.py
    (fetcher.Fetcher._proc_fetch_request, "self assignment node_id request"),
    (
        fetcher.PartitionRecords.__init__,
        (
            "self tp records aborted_transactions fetch_offset key_deserializer "
            "value_deserializer check_crcs isolation_level"
        ),
    ),
    (fetcher.PartitionRecords._unpack_records, "self"),
    (fetcher.PartitionRecords._consume_aborted_up_to, "self batch_offset"),
    (fetcher.PartitionRecords._contains_abort_marker, "self next_batch"),
    # lease_flush.py
    (aiokafka.AIOKafkaProducer.send_batch, "self batch topic partition"),
    # outgoing_batch.py
    (
        message_accumulator.BatchBuilder._set_producer_state,
        "self producer_id producer_epoch base_sequence",
    ),
    (message_accumulator.BatchBuilder._build, "self"),
    (message_accumulator.BatchBuilder.size, "self"),
    (message_accumulator.BatchBuilder.record_count, "self"),
    (message_accumulator.BatchBuilder.close, "self"),
    (message_accumulator.BatchBuilder.closed, "self"),
    # partition_producer.py
    (aiokafka.client.AIOKafkaClient._wait_on_metadata, "self topic"),
    (
        message_accumulator.MessageAccumulator.__init__,
        "self cluster batch_size compression_type batch_ttl txn_manager loop linger_ms",
    ),
    (message_accumulator.MessageAccumulator.add_batch, "self builder tp timeout"),
    (
        sender.Sender.__init__,
        "self client acks txn_manager message_accumulator retry_backoff_ms request_timeout_ms",
    ),
    (sender.Sender.start, "self"),
    (sender.Sender.close, "self"),
    (
        transaction_manager.TransactionManager.__init__,
        "self transactional_id transaction_timeout_ms",
    ),
    (transaction_manager.TransactionManager.begin_transaction, "self"),
    (transaction_manager.TransactionManager.add_offsets_to_txn, "self offsets group_id"),
    (transaction_manager.TransactionManager.committing_transaction, "self"),
    (transaction_manager.TransactionManager.wait_for_transaction_end, "self"),
    # recovery.py
    (recovery.Recovery._wait, "self coro timeout"),
    (recovery.Recovery._set_recovery_started, "self"),
    (recovery.Recovery.on_recovery_completed, "self generation_id"),
    (
        recovery.Recovery.on_rebalance,
        "self assigned revoked newly_assigned generation_id",
    ),
    (manager.TableManager._update_channels, "self"),
    (manager.TableManager.on_start, "self"),
    # table.py
    (tables.Table._new_store, "self"),
    (memory.Store.on_rebalance, "self assigned revoked newly_assigned generation_id"),
    # app.py
    (faust.App._update_assignment, "self assigned"),
    (faust.App._new_transport, "self"),
    (faust.App._new_producer_transport, "self"),
    (faust.App._create_directories, "self"),
    (faust.App.FlowControlQueue, "self maxsize clear_on_resume"),
    (queues.FlowControlQueue.in_pressure_high_state, "self callback"),
    # worker.py
    (mode.Service.add_dependency, "self service"),
    (mode.Service.wait_until_stopped, "self"),
]

#: Attributes the code that sets or reads them must find: (where it is assigned, the text).
ASSIGNED = [
    (aiokafka.AIOKafkaConsumer.__init__, "self._fetch_max_wait_ms ="),
    (aiokafka.AIOKafkaConsumer.__init__, "self._fetch_max_bytes ="),
    (aiokafka.AIOKafkaConsumer.__init__, "self._isolation_level ="),
    (aiokafka.AIOKafkaConsumer.start, "fetch_max_wait_ms=self._fetch_max_wait_ms"),
    (aiokafka.AIOKafkaConsumer.start, "fetch_max_bytes=self._fetch_max_bytes"),
    (aiokafka.AIOKafkaConsumer.start, "isolation_level=self._isolation_level"),
    (aiokafka.AIOKafkaConsumer.start, "self._fetcher ="),
    (aiokafka.AIOKafkaConsumer.start, "self._coordinator ="),
    (fetcher.Fetcher.__init__, "self._records = "),
    (fetcher.Fetcher.__init__, "self._subscriptions = "),
    (fetcher.FetchResult.__init__, "self._partition_records = "),
    (fetcher.PartitionRecords._unpack_records, "self._consumer_record(tp, record)"),
    (fetcher.Fetcher._proc_fetch_request, "records = MemoryRecords("),
    (fetcher.Fetcher._proc_fetch_request, "partition_records = PartitionRecords("),
    (fetcher.PartitionRecords.__init__, "self._records = records"),
    (fetcher.PartitionRecords.__init__, "self._check_crcs ="),
    (fetcher.PartitionRecords.__init__, "self._isolation_level ="),
    (fetcher.PartitionRecords.__init__, "self._aborted_producers ="),
    (fetcher.PartitionRecords.__init__, "self.next_fetch_offset ="),
    (fetcher.PartitionRecords.__init__, "self._records_iterator = self._unpack_records()"),
    (subscription_state.TopicPartitionState.__init__, "self._position"),
    # A fetch that filters what was aborted, and moves on over what it filtered.
    (fetcher.PartitionRecords._unpack_records, "self._isolation_level == READ_COMMITTED"),
    (fetcher.PartitionRecords._unpack_records, "self.next_fetch_offset = next_batch.next_offset"),
    # Offsets that a transaction committed are not known to the consumer, so it must ask.
    (aiokafka.AIOKafkaConsumer.committed, "fetch_committed_offsets"),
    # What is fenced ends the sender with this error, and with it everything that waits.
    (sender.Sender._sender_routine, "ProducerFenced,"),
    (sender.Sender._fail_all, "self._message_accumulator.fail_all(task_exception)"),
    (sender.Sender._fail_all, "self._txn_manager.fatal_error(task_exception)"),
    (sender.EndTxnHandler.handle_response, "raise ProducerFenced()"),
    (sender.SendProduceReqHandler.handle_response, "exc = ProducerFenced()"),
    # A second start under the same id waits until what the first began has come to its end.
    (sender.InitPIDHandler.handle_response, "ConcurrentTransactions"),
    (group_coordinator.GroupCoordinator.__init__, "self.generation ="),
    (group_coordinator.GroupCoordinator.__init__, "self.member_id ="),
    (group_coordinator.GroupCoordinator._maybe_leave_group, "if self.generation > 0"),
    # The two lines of aiokafka's log that refusals.py reads.
    (client.AIOKafkaClient._get_conn, 'node with id %s: %s", node_id, err)'),
    (client.AIOKafkaClient.bootstrap, 'Unable connect to "%s:%s": %s\', host, port, err)'),
    (recovery.Recovery.__init__, "self.active_tps ="),
    (recovery.Recovery.on_rebalance, "self._generation_id = generation_id"),
    (recovery.Recovery.on_rebalance, "self.signal_recovery_start.set()"),
    (manager.TableManager.on_actives_ready, "self.actives_ready = True"),
    (manager.TableManager.on_rebalance_start, "self.actives_ready = False"),
    (consumer.Consumer._drain_messages, "acks_enabled_for(message.topic)"),
    (consumer.Consumer.on_stop, "self.commit_and_end_transactions()"),
    (consumer.Consumer._commit_handler.fun, "self.commit()"),
    # Where Faust seeks: after recovery, and on its own where it must not.
    (recovery.Recovery.on_recovery_completed, "consumer.perform_seek()"),
    (consumer.Consumer.getmany, "await self.perform_seek()"),
    (consumer.Consumer.perform_seek, "await self.seek_to_committed()"),
    (consumer.Consumer.getmany, "self.scheduler.iterate(records)"),
    (consumer.Consumer.getmany, "to_message(tp, record)"),
    (
        driver.ConsumerRebalanceListener.on_partitions_assigned,
        "consumer_generation_id = generation",
    ),
    (conductor.ConductorCompiler.build, "queue.full()"),
    (conductor.ConductorCompiler.build, "put_nowait_enhanced"),
    (agent.Agent._execute_actor, "self._on_error(self, exc)"),
]


@pytest.mark.parametrize(("package", "expected"), VERSIONS.items())
def test_the_packages_are_the_ones_the_code_was_read_against(package: str, expected: str) -> None:
    assert version(package) == expected


@pytest.mark.parametrize(
    ("function", "parameters"), SIGNATURES, ids=[f.__qualname__ for f, _ in SIGNATURES]
)
def test_the_parameters_are_as_expected(function: FunctionType, parameters: str) -> None:
    assert list(inspect.signature(function).parameters) == parameters.split()


@pytest.mark.parametrize(
    ("function", "text"), ASSIGNED, ids=[f"{f.__qualname__} {t}" for f, t in ASSIGNED]
)
def test_the_code_still_does_it(function: FunctionType, text: str) -> None:
    assert text in inspect.getsource(function)


def test_connections_are_told_of_in_the_log_that_is_read() -> None:
    assert client.log.name == CONNECTIONS_LOG


def test_recovery_tasks_that_are_replaced_are_still_tasks() -> None:
    for name in ("_restart_recovery", "_slurp_changelogs", "_publish_stats"):
        assert isinstance(getattr(recovery.Recovery, name), mode.services.ServiceTask)


def test_a_consumer_message_takes_its_fields_in_this_order() -> None:
    names = list(inspect.signature(ConsumerMessage).parameters)
    assert " ".join(names[:12]) == (
        "topic partition offset timestamp timestamp_type headers key value checksum "
        "serialized_key_size serialized_value_size tp"
    )
    assert "generation_id" in names


def test_a_position_is_known_or_not() -> None:
    state = subscription_state.TopicPartitionState
    assert isinstance(inspect.getattr_static(state, "has_valid_position"), property)
    assert isinstance(inspect.getattr_static(state, "position"), property)
    assert isinstance(
        inspect.getattr_static(subscription_state.SubscriptionState, "reassignment_in_progress"),
        property,
    )


def test_a_wait_that_takes_too_long_looks_like_a_stop() -> None:
    # Recovery tells the two apart because of this; should it change, so must recovery.
    source = inspect.getsource(mode.Service.wait_first)
    assert "return WaitResults([], [], True)" in source


def test_faust_still_finds_its_transport_through_class_attributes() -> None:
    assert driver.Transport.Consumer is driver.Consumer
    assert driver.Transport.Producer is driver.Producer
    assert "self.Consumer(self" in inspect.getsource(driver.base.Transport.create_consumer)
    assert "self.Producer(self" in inspect.getsource(driver.base.Transport.create_producer)


def test_the_memory_store_is_the_base_of_ours() -> None:
    assert issubclass(memory.Store, stores.base.Store)
