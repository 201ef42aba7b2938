from __future__ import annotations

import gc
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from stream.settings import KafkaConnection, load_settings
from stream.tools import embedded_broker
from stream.tools.console import CommandError
from stream.tools.embedded_broker import EmbeddedBroker
from stream.tools.ports import usable_port
from stream.tools.produce import EventProducer
from stream.tools.topics import ensure_topics

REPOSITORY = Path(__file__).parents[2]
BROKER_COMMAND = (sys.executable, "-m", "stream", "broker")


def test_broker_on_a_taken_port_says_so_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [*BROKER_COMMAND, "--port", str(port)], cwd=REPOSITORY, capture_output=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.decode().startswith(f"error: port {port} cannot be used")
    assert done.stderr.count(b"\n") == 1


def test_broker_without_a_binary_says_to_use_a_real_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(
        CommandError, match=r"no embedded broker for this platform.*RETENTION_BROKER"
    ):
        EmbeddedBroker().start()


def test_broker_that_cannot_start_tells_its_own_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    binary = tmp_path / "broken"
    binary.write_text("#!/bin/sh\necho out of luck\nexit 3\n")
    binary.chmod(0o755)
    monkeypatch.setattr(embedded_broker, "find_binary", lambda: binary)
    with pytest.raises(CommandError, match=r"did not start: out of luck.*RETENTION_BROKER"):
        EmbeddedBroker().start()


def test_stopped_broker_is_gone_and_can_start_again_empty() -> None:
    broker = EmbeddedBroker()
    with broker:
        settings = load_settings({"RETENTION_BROKER": broker.address})
        assert {topic.state for topic in ensure_topics(settings)} == {"created"}
        pid = broker.process.pid
    assert not psutil.pid_exists(pid)
    broker.stop()
    with broker:
        settings = load_settings({"RETENTION_BROKER": broker.address})
        assert {topic.state for topic in ensure_topics(settings)} == {"created"}


@pytest.mark.parametrize(
    ("stop", "exit_code"),
    [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_broker_command_leaves_nothing_behind(stop: signal.Signals, exit_code: int) -> None:
    port = usable_port(0)
    with subprocess.Popen(
        [*BROKER_COMMAND, "--port", str(port)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"broker ready at 127.0.0.1:%d " % port)
            (child,) = psutil.Process(process.pid).children()
            process.send_signal(stop)
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == exit_code
    assert errors == b""
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running()


# The Kafka client leaves a socket open whenever a connection is refused.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_broker_that_goes_away_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.tools.record_producer.ACKNOWLEDGE_TIMEOUT_SECONDS", 0.5)

    def send_until_it_is_gone(broker: EmbeddedBroker) -> None:
        with EventProducer(KafkaConnection(broker.address)) as producer:
            producer.send(b"{}")
            producer.flush()
            broker.process.stop(signal.SIGKILL)
            producer.send(b"{}")

    with EmbeddedBroker() as broker:
        ensure_topics(load_settings({"RETENTION_BROKER": broker.address}))
        with pytest.raises(CommandError, match=f"Kafka at {broker.address}"):
            send_until_it_is_gone(broker)
    gc.collect()
