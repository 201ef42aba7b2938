"""Reaching a Kafka: quick to notice that there is none, and its client's failures in one line."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kafka import KafkaAdminClient
from kafka.errors import AuthorizationError, KafkaError

from stream.tools.console import CommandError
from stream.tools.kafka_entry import RefusedError, entry_failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.settings import KafkaConnection

CONNECT_TIMEOUT_SECONDS = 3.0
BOOTSTRAP_TIMEOUT_MS = 10_000


def kafka_failure(kafka: KafkaConnection, reason: object) -> CommandError:
    """What to tell when Kafka, or its client, fails."""
    if isinstance(reason, AuthorizationError):
        return CommandError(
            f"Kafka at {kafka.bootstrap_servers} does not allow this ({type(reason).__name__}): "
            "give the user of RETENTION_KAFKA_USER the rights listed in docs/security.md"
        )
    return CommandError(
        f"Kafka at {kafka.bootstrap_servers}: {reason or type(reason).__name__}; check that it "
        "runs and that RETENTION_BROKER is right, or start one with: retention-stream broker"
    )


@contextmanager
def reaching_kafka(kafka: KafkaConnection) -> Iterator[None]:
    """Wait until a broker listens, then turn the client's failures in the block into one line.

    Raises:
        CommandError: when no broker listens, or it refuses.
    """
    # The client logs every attempt; the one line raised here says it all.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    _await_entry(kafka)
    try:
        yield
    except KafkaError as error:
        raise kafka_failure(kafka, error) from error


@contextmanager
def kafka_admin(kafka: KafkaConnection) -> Iterator[KafkaAdminClient]:
    """An admin client for the block.

    Raises:
        CommandError: when the broker cannot be reached or refuses.
    """
    with reaching_kafka(kafka):
        admin = KafkaAdminClient(
            **kafka.client_options(), bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS
        )
        try:
            yield admin
        finally:
            admin.close()


def _await_entry(kafka: KafkaConnection) -> None:
    # The client itself would try for long, and without a word of the reason.
    deadline = time.monotonic() + CONNECT_TIMEOUT_SECONDS
    while True:
        reason = _connection_failure(kafka.bootstrap_servers)
        failure = kafka_failure(kafka, reason) if reason is not None else _entry_failure(kafka)
        if failure is None:
            return
        if time.monotonic() > deadline:
            raise failure
        # A broker that listens and then hangs up may be one that is just starting.
        time.sleep(0.5 if reason is None else 0.05)


def _entry_failure(kafka: KafkaConnection) -> CommandError | None:
    try:
        reason = entry_failure(kafka)
    except RefusedError as error:
        raise CommandError(str(error)) from error
    return None if reason is None else CommandError(reason)


def _connection_failure(broker: str) -> str | None:
    """Why none of the servers can be connected to; None when one can."""
    reason = None
    for server in broker.split(","):
        host, _, port = server.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=1).close()
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            return None
    return reason
