"""Getting into a Kafka once, to learn why if that fails.

The client's own start tries again and again for seconds, with a wrong password too, and ends
without the reason.
"""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING

from kafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient
from kafka.protocol.metadata import MetadataRequest

from stream.settings.kafka_refusals import (
    certificate_not_trusted,
    login_refused,
    not_answered,
)

if TYPE_CHECKING:
    from kafka.net.manager import KafkaConnectionManager

    from stream.settings import KafkaConnection

ANSWER_TIMEOUT_MS = 5_000


class RefusedError(Exception):
    """Trying again would not help; the message is one line with the settings to check."""


def entry_failure(kafka: KafkaConnection) -> str | None:
    """Why none of the servers answers a request; None when one does. Each is tried once.

    Raises:
        RefusedError: when one refuses the login, or its certificate is not trusted.
    """
    client = KafkaNetClient(**kafka.client_options())
    # Its parts, because only there a connection is tried once and its error comes out.
    manager, net = client._manager, client._net  # noqa: SLF001
    net.start()
    failure = None
    try:
        for broker in manager.cluster.bootstrap_brokers():
            try:
                manager.run(_ask, manager, broker.node_id)
            except KafkaError as error:
                failure = _explain(kafka, error)
            else:
                return None
    finally:
        client.close()
        net.stop()
    return failure


async def _ask(manager: KafkaConnectionManager, node_id: str) -> None:
    connection = manager.get_connection(node_id, timeout_ms=ANSWER_TIMEOUT_MS)
    await connection
    # A listener that wants a login speaks before it, but not of this.
    await connection.send_request(MetadataRequest(), request_timeout_ms=ANSWER_TIMEOUT_MS)


def _explain(kafka: KafkaConnection, error: KafkaError) -> str:
    if isinstance(error, SaslAuthenticationFailedError | UnsupportedSaslMechanismError):
        raise RefusedError(login_refused(kafka)) from error
    if isinstance(error, IllegalSaslStateError):
        raise RefusedError(not_answered(kafka, "it expects no login")) from error
    if isinstance(error.__context__, ssl.SSLCertVerificationError):
        raise RefusedError(certificate_not_trusted(kafka, error.__context__)) from error
    # Without the place in OpenSSL's source.
    reason = re.sub(r" \(_ssl\.c:\d+\)", "", str(error.args[0] if error.args else error))
    return not_answered(kafka, reason)
