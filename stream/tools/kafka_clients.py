"""Reaching a Kafka: quick to notice that there is none, and its client's failures in one line."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from stream.tools.console import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_TIMEOUT_SECONDS = 3.0
BOOTSTRAP_TIMEOUT_MS = 10_000


def kafka_failure(broker: str, reason: object) -> CommandError:
    """What to tell when Kafka, or its client, fails."""
    return CommandError(
        f"Kafka at {broker}: {reason or type(reason).__name__}; check that it runs and that "
        "RETENTION_BROKER is right, or start one with: retention-stream broker"
    )


@contextmanager
def reaching_kafka(broker: str) -> Iterator[None]:
    """Wait until a broker listens, then turn the client's failures in the block into one line.

    Raises:
        CommandError: when no broker listens, or it refuses.
    """
    # The client logs every attempt; the one line raised here says it all.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    _await_listener(broker)
    try:
        yield
    except KafkaError as error:
        raise kafka_failure(broker, error) from error


@contextmanager
def kafka_admin(broker: str) -> Iterator[KafkaAdminClient]:
    """An admin client for the block.

    Raises:
        CommandError: when the broker cannot be reached or refuses.
    """
    with reaching_kafka(broker):
        admin = KafkaAdminClient(
            bootstrap_servers=broker, bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS
        )
        try:
            yield admin
        finally:
            admin.close()


def _await_listener(broker: str) -> None:
    # The client itself would try for long, and without a word of the reason.
    deadline = time.monotonic() + CONNECT_TIMEOUT_SECONDS
    while True:
        reason = _connection_failure(broker)
        if reason is None:
            return
        if time.monotonic() > deadline:
            raise kafka_failure(broker, reason)
        time.sleep(0.05)


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
