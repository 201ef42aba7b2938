"""TLS and passwords to a real Redis, as a place to meet and as a worker sees it."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from stream.meeting.place import PlaceRefusedError
from stream.meeting.redis_place import RedisPlace, open_place
from stream.settings import load_settings
from tests.integration.stream_harness import Stream, purchases
from tests.integration.worker_harness import Worker
from tests.support.certificates import Authority
from tests.support.redis_server import RedisServer, needed_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stream.tools.embedded_broker import EmbeddedBroker

# Redis' client leaves a socket open whenever TLS fails.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

PASSWORD = "correct-horse-battery"  # noqa: S105 - of a test's own server


@pytest.fixture(autouse=True)
def _collected_here() -> Iterator[None]:
    yield
    # Not in the next test, whose warnings are errors.
    gc.collect()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "certificates")


@pytest.fixture
def server(tmp_path: Path, authority: Authority) -> Iterator[RedisServer]:
    needed_server()
    with RedisServer(tmp_path, password=PASSWORD, authority=authority) as server:
        yield server


@pytest.fixture
def environ(server: RedisServer, authority: Authority, tmp_path: Path) -> dict[str, str]:
    """Settings that let a client in."""
    certificate, key = authority.issue("client")
    password_file = tmp_path / "redis-password"
    password_file.write_text(f"{PASSWORD}\n")
    return {
        "RETENTION_REDIS_URL": f"rediss://127.0.0.1:{server.port}",
        "RETENTION_REDIS_PASSWORD_FILE": str(password_file),
        "RETENTION_REDIS_CA_FILE": str(authority.ca),
        "RETENTION_REDIS_CERT_FILE": str(certificate),
        "RETENTION_REDIS_KEY_FILE": str(key),
    }


def place_of(environ: dict[str, str]) -> RedisPlace:
    return open_place(load_settings(environ).redis)


async def refusal_of(environ: dict[str, str]) -> str:
    place = place_of(environ)
    with pytest.raises(PlaceRefusedError) as caught:
        await place.post("hall", b"anyone?")
    await place.close()
    message = str(caught.value)
    assert "\n" not in message
    assert PASSWORD not in message
    return message


async def test_workers_meet_over_tls_with_a_password(environ: dict[str, str]) -> None:
    place = place_of(environ)
    async with place.listen("hall") as messages:
        await place.post("hall", b"hello")
        assert await anext(messages) == b"hello"
    await place.close()


async def test_a_wrong_password_is_told_with_the_way_out(environ: dict[str, str]) -> None:
    del environ["RETENTION_REDIS_PASSWORD_FILE"]
    for wrong in ({"RETENTION_REDIS_PASSWORD": "wrong"}, {}):
        assert "check RETENTION_REDIS_PASSWORD" in await refusal_of(environ | wrong)


async def test_a_certificate_that_is_not_trusted_is_told_with_the_way_out(
    environ: dict[str, str], tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger", "somebody else")
    message = await refusal_of(environ | {"RETENTION_REDIS_CA_FILE": str(stranger.ca)})
    assert "is not trusted" in message
    assert "RETENTION_REDIS_CA_FILE" in message
    other_host = environ["RETENTION_REDIS_URL"].replace("127.0.0.1", "localhost")
    assert "is not trusted" in await refusal_of(environ | {"RETENTION_REDIS_URL": other_host})


async def test_the_documented_rights_suffice_and_missing_ones_are_named(
    environ: dict[str, str],
) -> None:
    admin = place_of(environ)
    for user, commands in (
        ("member", ["+ping", "+subscribe", "+unsubscribe", "+publish"]),
        ("guest", ["+ping"]),
    ):
        await admin._client.acl_setuser(
            user,
            enabled=True,
            passwords=["+word"],
            commands=commands,
            channels=["retention:*"],
            reset_channels=True,
        )
    await admin.close()
    del environ["RETENTION_REDIS_PASSWORD_FILE"]

    def as_user(name: str) -> dict[str, str]:
        url = environ["RETENTION_REDIS_URL"].replace("rediss://", f"rediss://{name}:word@")
        return environ | {"RETENTION_REDIS_URL": url}

    member = place_of(as_user("member"))
    async with member.listen("retention:meeting") as messages:
        await member.post("retention:meeting", b"hello")
        assert await anext(messages) == b"hello"
    await member.close()
    assert "PUBLISH and SUBSCRIBE" in await refusal_of(as_user("guest"))


def test_a_worker_shows_its_gauges_through_a_secure_redis(
    embedded_broker: EmbeddedBroker, environ: dict[str, str], tmp_path: Path
) -> None:
    stream = Stream(embedded_broker.address)
    stream.send(stream.settings.topic_purchases, purchases(100))
    with Worker(stream.environ | environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_orders(100)
        assert worker.terminate() == 0
        assert PASSWORD not in worker.log


def test_a_worker_that_redis_refuses_ends_and_says_so(
    embedded_broker: EmbeddedBroker, environ: dict[str, str], tmp_path: Path
) -> None:
    stream = Stream(embedded_broker.address)
    del environ["RETENTION_REDIS_PASSWORD_FILE"]
    wrong = environ | {"RETENTION_REDIS_PASSWORD": "not-the-password"}
    with Worker(stream.environ | wrong, tmp_path) as worker:
        assert worker.wait_for_exit() == 1
        assert "check RETENTION_REDIS_PASSWORD" in worker.last_log_line
        assert worker.log.count("refused the login") == 1
        assert "not-the-password" not in worker.log
