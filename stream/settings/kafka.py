"""How to reach Kafka: the servers, TLS and the login, and the same for each client library."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict, cast

from stream.settings.reader import SettingError
from stream.settings.tls import TlsFiles, load_tls, tls_names
from stream.settings.values import one_of

if TYPE_CHECKING:
    from stream.settings.reader import SettingReader
    from stream.settings.secret import Secret

SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

PREFIX = "RETENTION_KAFKA"


class KafkaClientOptions(TypedDict, total=False):
    """Keyword arguments that aiokafka's and kafka-python's clients have in common."""

    bootstrap_servers: str
    security_protocol: str
    ssl_context: ssl.SSLContext
    sasl_mechanism: str
    sasl_plain_username: str
    sasl_plain_password: str


@dataclass(frozen=True, slots=True)
class KafkaLogin:
    """A SASL login."""

    mechanism: SaslMechanism
    user: str
    password: Secret


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """Where Kafka is and how to come in.

    Attributes:
        bootstrap_servers: ``host:port[,host:port]``.
        tls: None for a connection in the clear.
        login: None for none.
    """

    bootstrap_servers: str
    tls: TlsFiles | None = None
    login: KafkaLogin | None = None

    @property
    def security(self) -> str:
        """``plaintext``, ``ssl``, ``sasl_plaintext`` or ``sasl_ssl``."""
        transport = "plaintext" if self.tls is None else "ssl"
        return transport if self.login is None else f"sasl_{transport}"

    def client_options(self) -> KafkaClientOptions:
        """What to give any client of aiokafka or kafka-python.

        Raises:
            SettingError: when a file of ``tls`` cannot be used any more.
        """
        options: KafkaClientOptions = {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security.upper(),
        }
        if self.tls is not None:
            options["ssl_context"] = self.tls.context()
        if self.login is not None:
            options["sasl_mechanism"] = self.login.mechanism
            options["sasl_plain_username"] = self.login.user
            options["sasl_plain_password"] = self.login.password.reveal()
        return options


def load_kafka(reader: SettingReader) -> KafkaConnection:
    """The connection the settings describe.

    Raises:
        SettingError: for a setting that is bad, missing, or without effect.
    """
    security = reader.read(
        f"{PREFIX}_SECURITY", one_of("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
    )
    connection = KafkaConnection(
        bootstrap_servers=reader.read("RETENTION_BROKER", _bootstrap_servers),
        tls=load_tls(reader, PREFIX) if security.endswith("ssl") else None,
        login=_login(reader, security) if security.startswith("sasl") else None,
    )
    no_effect = f"has no effect with {PREFIX}_SECURITY={security}"
    if connection.tls is None:
        reader.refuse(tls_names(PREFIX), f"{no_effect}; leave it out, or set ssl or sasl_ssl")
    if connection.login is None:
        reader.refuse(
            (f"{PREFIX}_USER", f"{PREFIX}_PASSWORD", f"{PREFIX}_PASSWORD_FILE"),
            f"{no_effect}; leave it out, or set sasl_ssl",
        )
    return connection


def _login(reader: SettingReader, security: str) -> KafkaLogin:
    mechanism = reader.read(
        f"{PREFIX}_SASL_MECHANISM", one_of("plain", "scram-sha-256", "scram-sha-512")
    )
    user = reader.text(f"{PREFIX}_USER").strip()
    password = reader.secret(f"{PREFIX}_PASSWORD")
    needed_by = f"{PREFIX}_SECURITY={security} needs it"
    if not user:
        raise SettingError(f"{PREFIX}_USER: missing; {needed_by}")
    if password is None:
        raise SettingError(f"{PREFIX}_PASSWORD: missing; {needed_by} (or {PREFIX}_PASSWORD_FILE)")
    return KafkaLogin(cast("SaslMechanism", mechanism.upper()), user, password)


def _bootstrap_servers(text: str) -> str:
    for part in text.split(","):
        if not re.fullmatch(r"\s*(\[[0-9a-fA-F:]+\]|[^\s:,/]+):[0-9]{1,5}\s*", part):
            raise ValueError(f"{part.strip()!r} is not host:port")
    return ",".join(part.strip() for part in text.split(","))
