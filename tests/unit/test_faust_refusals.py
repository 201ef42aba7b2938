from __future__ import annotations

import asyncio
import logging
import ssl
import threading

import pytest
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed

from stream.faust_app.fuse import Fuse
from stream.faust_app.refusals import CONNECTIONS_LOG, ending_when_refused
from stream.settings import KafkaConnection

KAFKA = KafkaConnection("kafka.example:9093")


def as_aiokafka_logs(error: Exception) -> None:
    logging.getLogger(CONNECTIONS_LOG).error("Unable connect to node with id %s: %s", 1, error)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SaslAuthenticationFailed("no"), "refused a client"),
        (ssl.SSLCertVerificationError("expired"), "is not trusted"),
    ],
)
async def test_a_refusal_in_any_thread_ends_the_worker_and_is_told_once(
    error: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_message = "certificate has expired"
    fuse = Fuse()
    with ending_when_refused(KAFKA, fuse):
        elsewhere = threading.Thread(target=as_aiokafka_logs, args=(error,))
        elsewhere.start()
        async with asyncio.timeout(5):
            assert reason in await fuse.wait()
        elsewhere.join()
    assert caplog.text == ""


async def test_a_broker_that_is_away_is_no_refusal(caplog: pytest.LogCaptureFixture) -> None:
    fuse = Fuse()
    with ending_when_refused(KAFKA, fuse):
        as_aiokafka_logs(KafkaConnectionError("Connection refused"))
        await asyncio.sleep(0)
    assert not fuse.burnt
    assert "Connection refused" in caplog.text


async def test_afterwards_the_log_is_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    fuse = Fuse()
    with ending_when_refused(KAFKA, fuse):
        pass
    as_aiokafka_logs(SaslAuthenticationFailed("no"))
    await asyncio.sleep(0)
    assert not fuse.burnt
    assert "SaslAuthenticationFailed" in caplog.text
