"""A real Kafka that asks for TLS and a login, and the settings to get in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.support.certificates import Authority
from tests.support.kafka_server import KafkaServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

USER: Final = "retention"
SCRAM: Final = ("SCRAM-SHA-256", "SCRAM-SHA-512")
LOGIN_MODULES: Final = "org.apache.kafka.common.security"


@dataclass(frozen=True, slots=True)
class SecureKafka:
    """The server, and what a client needs to know.

    Its listeners: ``TLS`` (asks for a client certificate), ``LOGIN`` (SASL in the clear),
    ``BOTH`` (SASL over TLS) and, for the tests' own looks, the open one.
    """

    server: KafkaServer
    authority: Authority
    password: str
    password_file: Path
    client_certificate: Path
    client_key: Path

    def environ(self, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
        """Settings for SASL over TLS, with the password in a file."""
        return {
            "RETENTION_BROKER": self.server.addresses["BOTH"],
            "RETENTION_KAFKA_SECURITY": "sasl_ssl",
            "RETENTION_KAFKA_SASL_MECHANISM": mechanism,
            "RETENTION_KAFKA_USER": USER,
            "RETENTION_KAFKA_PASSWORD_FILE": str(self.password_file),
            "RETENTION_KAFKA_CA_FILE": str(self.authority.ca),
        }

    def tls_environ(self) -> dict[str, str]:
        """Settings for TLS with a client certificate."""
        return {
            "RETENTION_BROKER": self.server.addresses["TLS"],
            "RETENTION_KAFKA_SECURITY": "ssl",
            "RETENTION_KAFKA_CA_FILE": str(self.authority.ca),
            "RETENTION_KAFKA_CERT_FILE": str(self.client_certificate),
            "RETENTION_KAFKA_KEY_FILE": str(self.client_key),
        }


def run_secure_kafka(directory: Path) -> Iterator[SecureKafka]:
    """Start it, hand it out, and end it."""
    authority = Authority(directory / "certificates")
    certificate, key = authority.issue("broker")
    client_certificate, client_key = authority.issue("client")
    keystore = directory / "certificates" / "keystore.pem"
    keystore.write_bytes(key.read_bytes() + certificate.read_bytes())
    password = secrets.token_urlsafe(24)
    password_file = directory / "password"
    password_file.write_text(f"{password}\n")
    server = KafkaServer(
        directory,
        listeners={"TLS": "SSL", "LOGIN": "SASL_PLAINTEXT", "BOTH": "SASL_SSL"},
        settings=_settings(str(keystore), str(authority.ca), password),
        format_arguments=[
            argument
            for mechanism in SCRAM
            for argument in ("--add-scram", f"{mechanism}=[name={USER},password={password}]")
        ],
    )
    with server:
        yield SecureKafka(
            server, authority, password, password_file, client_certificate, client_key
        )


def _settings(keystore: str, truststore: str, password: str) -> Mapping[str, str]:
    plain = f'{LOGIN_MODULES}.plain.PlainLoginModule required user_{USER}="{password}";'
    scram = f"{LOGIN_MODULES}.scram.ScramLoginModule required;"
    settings = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": keystore,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": truststore,
        "listener.name.tls.ssl.client.auth": "required",
    }
    for listener in ("login", "both"):
        prefix = f"listener.name.{listener}"
        settings[f"{prefix}.sasl.enabled.mechanisms"] = ",".join(("PLAIN", *SCRAM))
        settings[f"{prefix}.plain.sasl.jaas.config"] = plain
        for mechanism in SCRAM:
            settings[f"{prefix}.{mechanism.lower()}.sasl.jaas.config"] = scram
    return settings
