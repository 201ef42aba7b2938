"""Logins and TLS against a real Kafka that also checks rights."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kafka.admin import ACLOperation, ACLResourcePatternType, ResourceType

from stream.settings import DEFAULTS, load_settings
from stream.tools.topics import ensure_topics
from tests.integration.stream_harness import Stream, purchases
from tests.integration.worker_harness import Worker
from tests.support.certificates import Authority
from tests.support.secure_kafka import SecureKafka, run_secure_kafka

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.kafka

LOGINS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
WAYS = (*LOGINS, "TLS")
USE = (ACLOperation.READ, ACLOperation.DESCRIBE, ACLOperation.DESCRIBE_CONFIGS)


@pytest.fixture(scope="module")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    yield from run_secure_kafka(tmp_path_factory.mktemp("secure-kafka"))


def allowed_stream(kafka: SecureKafka, **settings: str) -> Stream:
    """A stream, with the rights that docs/security.md lists and no others."""
    stream = Stream(kafka.address, **settings)
    names = stream.settings
    for topic in names.source_topics:
        kafka.allow(ResourceType.TOPIC, topic, *USE)
    for topic in (names.topic_rerouted, names.topic_dead_letters, names.changelog_topic):
        kafka.allow(ResourceType.TOPIC, topic, *USE, ACLOperation.WRITE)
    for right in (ACLOperation.WRITE, ACLOperation.DESCRIBE, ACLOperation.DESCRIBE_CONFIGS):
        kafka.allow(ResourceType.TOPIC, names.topic_lifecycle, right)
    kafka.allow(ResourceType.GROUP, names.app_id, ACLOperation.READ, ACLOperation.DESCRIBE)
    kafka.allow(
        ResourceType.TRANSACTIONAL_ID,
        f"{names.app_id}-",
        ACLOperation.WRITE,
        ACLOperation.DESCRIBE,
        names=ACLResourcePatternType.PREFIXED,
    )
    return stream


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def run_command(*words: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in DEFAULTS}
    return subprocess.run(
        [sys.executable, "-m", "stream", *words],
        env={**kept, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def error_of(*words: str, environ: Mapping[str, str]) -> str:
    """The one line with which a command fails."""
    # In a process of its own: the client leaves sockets open when it is refused.
    done = run_command(*words, environ=environ)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("way", ["SCRAM-SHA-512", "TLS"])
def test_a_worker_reads_counts_and_restores_over_secure_connections_only(
    way: str, secure_kafka: SecureKafka, tmp_path: Path
) -> None:
    stream = allowed_stream(secure_kafka)
    stream.send(stream.settings.topic_purchases, purchases(200))
    # An event that cannot be used, and one that has to be sent on: the worker writes, too.
    stream.send(stream.settings.topic_purchases, [{"customer_id": "c", "type": "purchase"}])
    environ = stream.environ | secure_kafka.environ(way) | {"RETENTION_LOG_LEVEL": "debug"}

    with Worker(environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(201)
        assert secure_kafka.password not in command_line(worker.pid)
        before = worker.business()
        assert worker.terminate() == 0
        assert secure_kafka.password not in worker.log

    (letter,) = stream.read(stream.settings.topic_dead_letters, 1)
    assert dict(letter.headers)["dl-reason"] == b"missing_field"
    with Worker(environ, tmp_path) as successor:
        successor.wait_until_ready().wait_for_orders(200)
        assert successor.business() == before
        assert successor.outcomes() == {}


@pytest.mark.parametrize("way", WAYS)
def test_topics_and_produce_come_in_every_way(
    way: str, secure_kafka: SecureKafka, tmp_path: Path
) -> None:
    stream = allowed_stream(secure_kafka)
    for topic in stream.settings.source_topics:
        secure_kafka.allow(ResourceType.TOPIC, topic, ACLOperation.WRITE)
    events = tmp_path / "events.jsonl"
    events.write_text("\n".join(json.dumps(event) for event in purchases(50)))
    environ = stream.environ | secure_kafka.environ(way)

    for words in (["topics"], ["produce", str(events)]):
        done = run_command(*words, environ=environ)
        assert (done.returncode, done.stderr) == (0, "")
        assert secure_kafka.password not in done.stdout
    assert len(stream.read(stream.settings.topic_purchases, 50)) == 50


@pytest.mark.parametrize("mechanism", LOGINS)
def test_a_login_also_works_without_tls(mechanism: str, secure_kafka: SecureKafka) -> None:
    stream = allowed_stream(secure_kafka)
    settings = load_settings(stream.environ | secure_kafka.environ_in_the_clear(mechanism))
    assert {topic.state for topic in ensure_topics(settings)} == {"exists"}


@pytest.mark.parametrize("mechanism", LOGINS)
def test_a_refused_login_ends_a_worker_at_once_in_one_line(
    mechanism: str, secure_kafka: SecureKafka
) -> None:
    environ = secure_kafka.environ(mechanism)
    del environ["RETENTION_KAFKA_PASSWORD_FILE"]
    wrong = {"RETENTION_KAFKA_PASSWORD": "not-the-password"}

    error = error_of("worker", environ=environ | wrong)

    assert error.startswith("error: Kafka at ")
    assert "RETENTION_KAFKA_PASSWORD" in error
    assert "not-the-password" not in error


@pytest.mark.parametrize("problem", ["unknown authority", "other host"])
def test_a_certificate_that_is_not_trusted_ends_a_command_in_one_line(
    problem: str, secure_kafka: SecureKafka, tmp_path: Path
) -> None:
    environ = secure_kafka.environ("SCRAM-SHA-512")
    if problem == "unknown authority":
        environ["RETENTION_KAFKA_CA_FILE"] = str(Authority(tmp_path, "somebody else").ca)
    else:
        port = environ["RETENTION_BROKER"].rpartition(":")[2]
        environ["RETENTION_BROKER"] = f"localhost:{port}"

    error = error_of("topics", environ=environ)
    assert "is not trusted" in error
    assert "RETENTION_KAFKA_CA_FILE" in error


@pytest.mark.parametrize(
    ("listener", "environ"),
    [
        ("TLS", {}),
        ("BOTH", {}),
        ("LOGIN", {}),
        ("PLAINTEXT", {"RETENTION_KAFKA_SECURITY": "ssl"}),
        (
            "PLAINTEXT",
            {
                "RETENTION_KAFKA_SECURITY": "sasl_plaintext",
                "RETENTION_KAFKA_USER": "retention",
                "RETENTION_KAFKA_PASSWORD": "any",
            },
        ),
    ],
)
def test_a_listener_that_speaks_another_protocol_is_named(
    listener: str, environ: dict[str, str], secure_kafka: SecureKafka
) -> None:
    address = secure_kafka.server.addresses[listener]
    error = error_of("topics", environ={"RETENTION_BROKER": address, **environ})
    assert f"Kafka at {address} did not answer a first request" in error
    assert "RETENTION_KAFKA_SECURITY=" in error


def test_a_right_that_is_missing_is_told(secure_kafka: SecureKafka) -> None:
    stream = Stream(secure_kafka.address)
    error = error_of("topics", environ=stream.environ | secure_kafka.environ("SCRAM-SHA-512"))
    assert "docs/security.md" in error


def test_a_worker_whose_password_was_changed_ends_and_says_so(tmp_path: Path) -> None:
    # With a server of its own, which it restarts.
    for kafka in run_secure_kafka(tmp_path / "kafka"):
        stream = allowed_stream(kafka)
        stream.send(stream.settings.topic_purchases, purchases(100))
        environ = stream.environ | kafka.environ("SCRAM-SHA-256")
        with Worker(environ, tmp_path) as worker:
            worker.wait_until_ready().wait_for_events(100)
            kafka.change_password("another-password")
            kafka.server.restart()

            assert worker.wait_for_exit() == 1
            assert "refused user 'retention'" in worker.last_log_line
            assert "RETENTION_KAFKA_PASSWORD" in worker.last_log_line
            # No storm: it was told once and did not go on for long.
            assert worker.log.count("SaslAuthenticationFailed") == 0
            assert worker.log.count("refused user") == 1
            assert kafka.password not in worker.log

        kafka.password_file.write_text("another-password")
        with Worker(environ, tmp_path) as successor:
            successor.wait_until_ready().wait_for_orders(100)


def test_the_clients_of_a_test_do_not_log_secrets(
    secure_kafka: SecureKafka, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        settings = load_settings(
            allowed_stream(secure_kafka).environ | secure_kafka.environ("SCRAM-SHA-512")
        )
        ensure_topics(settings)
    assert secure_kafka.password not in caplog.text
