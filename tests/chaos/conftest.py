"""A stream for each test, on a broker for all or one of its own."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from tests.chaos.sizes import ENVIRON, FULL, SMALL, Size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.stream_harness import Stream
    from tests.support.kafka_server import KafkaServer
    from tests.support.redis_server import RedisServer


@pytest.fixture
def size(request: pytest.FixtureRequest) -> Size:
    return FULL if request.config.getoption("--chaos-full") else SMALL


@pytest.fixture
def stream(kafka_server: KafkaServer, redis_server: RedisServer) -> Stream:
    """Topics of the test's own on the broker and the Redis that all share."""
    # Imported late, as Kafka's client warns before the filters are set.
    from tests.integration.stream_harness import Stream  # noqa: PLC0415 - see above

    return Stream(kafka_server.address, **ENVIRON, RETENTION_REDIS_URL=redis_server.url)


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaServer]:
    """A broker that the test may do anything to."""
    from tests.support.kafka_server import KafkaServer  # noqa: PLC0415 - see above

    with KafkaServer(tmp_path / "kafka") as server:
        yield server
    # What clients left behind is complained about here, not in the middle of another test.
    gc.collect()
