"""Redis as the meeting place: publish and subscribe, nothing stored."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from stream.meeting.place import PlaceAwayError, PlaceRefusedError
from stream.settings import RedisConnection

if TYPE_CHECKING:
    from redis.asyncio.client import PubSub

#: For connecting and for each command.
TIMEOUT_SECONDS = 2.0
#: After so long without a message Redis is asked whether it is still there.
QUIET_SECONDS = 2.0


def open_place(connection: RedisConnection) -> RedisPlace:
    """The place the settings name, not connected yet."""
    client = Redis.from_url(
        connection.url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        # A connection from before a restart of Redis is found dead when it is used again. A
        # message that arrives twice for that does no harm.
        retry=Retry(NoBackoff(), 1),
        **connection.client_options(),
    )
    return RedisPlace(client, connection.url)


class RedisPlace:
    """Implements ``stream.meeting.place.Place``.

    Args:
        client: not connected yet.
        address: where it connects to, without any secret, for messages.
    """

    def __init__(self, client: Redis, address: str) -> None:
        self._client = client
        self._address = address

    @asynccontextmanager
    async def listen(self, *channels: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Every message posted to these channels from entering on."""
        subscription = self._client.pubsub()
        try:
            with self._away_on_failure():
                await subscription.subscribe(*channels)
                for _ in channels:
                    if await subscription.get_message(timeout=TIMEOUT_SECONDS) is None:
                        raise PlaceAwayError(f"{self._address} does not answer")
            async with aclosing(self._messages(subscription)) as messages:
                yield messages
        finally:
            await subscription.aclose()  # type: ignore[no-untyped-call] # theirs

    async def post(self, channel: str, message: bytes) -> None:
        """Carry a message to all who listen."""
        with self._away_on_failure():
            await self._client.publish(channel, message)

    async def close(self) -> None:
        """Let connections go."""
        await self._client.aclose()

    async def _messages(self, subscription: PubSub) -> AsyncGenerator[bytes, None]:
        asked = False
        while True:
            with self._away_on_failure():
                message = await subscription.get_message(timeout=QUIET_SECONDS)
                if message is None:
                    # A connection that was cut off without a word looks like silence.
                    if asked:
                        raise PlaceAwayError(f"{self._address} does not answer")
                    await subscription.ping()
                asked = message is None
            if message is not None and message["type"] == "message":
                yield message["data"]

    @contextmanager
    def _away_on_failure(self) -> Iterator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            # Errors of the server and of the socket do not hold the URL.
            refusal = _refusal(self._address, error)
            if refusal is not None:
                raise PlaceRefusedError(refusal) from error
            raise PlaceAwayError(f"{self._address}: {type(error).__name__}: {error}") from error
        # The client writes under ``asyncio.wait_for``, which until Python 3.12 forgets a
        # cancellation that comes just as the write is done: whoever loops here would never end.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError


def _refusal(address: str, error: RedisError | OSError) -> str | None:
    """What to tell when Redis does not let this worker in; None when it is merely away."""
    if isinstance(error, AuthenticationError):
        return (
            f"Redis at {address} refused the login ({error}): check RETENTION_REDIS_PASSWORD and "
            "the user in RETENTION_REDIS_URL"
        )
    if isinstance(error, NoPermissionError):
        return (
            f"Redis at {address} does not let this user meet the other workers ({error}): allow it "
            "PING, and PUBLISH and SUBSCRIBE on the channels that begin with RETENTION_APP_ID"
        )
    # The client keeps the socket's error behind one of its own.
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"the certificate of Redis at {address} is not trusted "
            f"({cause.verify_message.rstrip('.')}): name its authority in RETENTION_REDIS_CA_FILE, "
            "and in RETENTION_REDIS_URL a host name that it holds"
        )
    return None
