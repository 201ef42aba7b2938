"""What every test folder shares: brokers to test against, and when the real one takes part."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.tools.embedded_broker import EmbeddedBroker
    from tests.support.kafka_server import KafkaServer
    from tests.support.redis_server import RedisServer

# Tests import their support code by its full name, however pytest was started.
sys.path.insert(0, str(Path(__file__).parents[1]))

left_out = pytest.StashKey[dict[str, int]]()

#: What is left out unless ``-m`` asks for it, and what it needs.
ON_REQUEST = {
    "kafka": "a real Apache Kafka",
    "prometheus": "Prometheus and Alertmanager",
    "page": "Chromium, and packages from npm",
    "deploy": "compose, hadolint, Helm and Prometheus",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--chaos-full",
        action="store_true",
        help="tests/chaos in full size: a million events, 20 kills; an hour or more",
    )


def pytest_configure(config: pytest.Config) -> None:
    # kafka-python 3.0 reads its schemas in a way Python 3.11 and 3.12 warn about; not ours to fix.
    config.addinivalue_line(
        "filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs other programs and seconds for every start, unless it was asked for."""
    expression: str = config.option.markexpr
    counts = config.stash[left_out] = {}
    for marker in ON_REQUEST:
        marked = [item for item in items if item.get_closest_marker(marker)]
        if marked and marker not in expression:
            items[:] = [item for item in items if not item.get_closest_marker(marker)]
            config.hook.pytest_deselected(items=marked)
            counts[marker] = len(marked)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    return [
        f"left out: {count} tests that need {ON_REQUEST[marker]} (run them with -m {marker})"
        # Nothing was collected where a path is wrong, which pytest says after this.
        for marker, count in config.stash.get(left_out, {}).items()
    ]


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """One embedded broker for the whole run: use topics of your own, and leave it running."""
    # Imported here: most tests need no broker, and kafka-python is slow to import.
    from stream.tools.embedded_broker import EmbeddedBroker  # noqa: PLC0415 - see above

    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """One real Kafka for the whole run: use topics of your own, and leave it running."""
    from tests.support.kafka_server import KafkaServer  # noqa: PLC0415 - slow to import, too

    with KafkaServer(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, to be killed and started at will."""
    from tests.support.redis_server import RedisServer, needed_server  # noqa: PLC0415 - as above

    needed_server()
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture(
    scope="session", params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)]
)
def broker_address(request: pytest.FixtureRequest) -> str:
    """``host:port`` of each broker in turn, for suites that both must pass."""
    broker: EmbeddedBroker | KafkaServer = request.getfixturevalue(
        "embedded_broker" if request.param == "embedded" else "kafka_server"
    )
    return broker.address
