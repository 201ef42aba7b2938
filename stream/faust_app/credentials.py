"""The login and TLS of our settings in Faust's terms. Other clients take ``client_options``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faust import SASLCredentials, SSLCredentials

if TYPE_CHECKING:
    from faust.types.auth import CredentialsT

    from stream.settings import KafkaConnection


def broker_credentials(kafka: KafkaConnection) -> CredentialsT | None:
    """Faust's ``broker_credentials``; None for a connection in the clear without a login."""
    options = kafka.client_options()
    if "sasl_mechanism" in options:
        return SASLCredentials(
            mechanism=options["sasl_mechanism"],
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            ssl_context=options.get("ssl_context"),
        )
    if "ssl_context" in options:
        return SSLCredentials(options["ssl_context"])
    return None
