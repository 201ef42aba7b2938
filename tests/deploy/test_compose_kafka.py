"""Kafka's part of the compose file, read by the program that the image starts with, and run.

Only addresses and the folder of its data are replaced; the container itself is not.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from stream.tools.child_process import ChildProcess
from stream.tools.ports import listens
from tests.deploy.test_compose import COMPOSE
from tests.support.kafka_server import free_ports, install

pytestmark = pytest.mark.kafka

START_TIMEOUT_SECONDS = 60.0
SERVER = "server.properties"
#: What the image's program copies from its own folder before it adds the variables.
SHIPPED = (SERVER, "log4j2.yaml", "tools-log4j2.yaml")


def environment(data: Path, ports: dict[str, int]) -> dict[str, str]:
    """The service's variables, with this machine's address in place of the network's."""
    variables: dict[str, str] = dict(COMPOSE["kafka"]["environment"])
    for name, value in variables.items():
        moved = value.replace("kafka:", "127.0.0.1:").replace("://:", "://127.0.0.1:")
        for inside, outside in ports.items():
            moved = moved.replace(f":{inside}", f":{outside}")
        variables[name] = moved
    return {**variables, "KAFKA_LOG_DIRS": str(data)}


def java(*arguments: str, variables: dict[str, str]) -> list[str]:
    assignments = [f"{name}={value}" for name, value in variables.items()]
    return ["env", *assignments, "java", "-Xmx512m", "-cp", f"{install()}/*", *arguments]


def test_kafka_starts_with_the_variables_and_takes_the_topics(tmp_path: Path) -> None:
    shipped, mounted, final = (tmp_path / name for name in ("shipped", "mounted", "final"))
    for folder in (shipped, mounted, final):
        folder.mkdir()
    for name in SHIPPED:
        (shipped / name).write_text("", encoding="utf-8")
    ports = dict(zip(("19092", "9092", "9093"), free_ports(3), strict=True))
    variables = environment(tmp_path / "data", ports)
    folders = [
        *("--default-configs-dir", str(shipped)),
        *("--mounted-configs-dir", str(mounted)),
        *("--final-configs-dir", str(final)),
    ]
    setup = java("kafka.docker.KafkaDockerWrapper", "setup", *folders, variables=variables)
    done = subprocess.run(setup, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    written = (final / SERVER).read_text(encoding="utf-8")
    assert "auto.create.topics.enable=false" in written
    assert "offsets.topic.replication.factor=1" in written

    command = java("kafka.Kafka", str(final / SERVER), variables=variables)
    kafka = ChildProcess("kafka", command, tmp_path / "kafka.log")
    try:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not listens(ports["9092"]):
            assert kafka.exit_code is None, kafka.last_lines()
            assert time.monotonic() < deadline, kafka.last_lines()
            time.sleep(0.1)
        broker = f"RETENTION_BROKER=127.0.0.1:{ports['9092']}"
        topics = subprocess.run(
            ["env", broker, sys.executable, "-m", "stream", *COMPOSE["topics"]["command"]],
            capture_output=True,
            text=True,
            check=False,
        )
        assert topics.returncode == 0, topics.stderr
        assert "retention-customers-changelog" in topics.stdout
    finally:
        kafka.stop()
