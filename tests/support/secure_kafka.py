"""A real Kafka that asks for TLS and a login, and the settings to get in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
    UserScramCredentialUpsertion,
)

from tests.support.certificates import Authority
from tests.support.kafka_server import KafkaServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

USER: Final = "retention"
#: A client certificate's holder is a user, too.
PRINCIPALS: Final = (f"User:{USER}", "User:CN=client")
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

    @property
    def address(self) -> str:
        """``host:port`` of the open listener, which gives every right."""
        return self.server.address

    def allow(
        self,
        resource: ResourceType,
        name: str,
        *operations: ACLOperation,
        names: ACLResourcePatternType = ACLResourcePatternType.LITERAL,
    ) -> None:
        """Give the user these rights, whichever way it comes in."""
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        try:
            done = admin.create_acls(
                [
                    ACL(
                        principal=principal,
                        host="*",
                        operation=operation,
                        permission_type=ACLPermissionType.ALLOW,
                        resource_pattern=ResourcePattern(resource, name, names),
                    )
                    for operation in operations
                    for principal in PRINCIPALS
                ]
            )
        finally:
            admin.close()
        assert not done["failed"], done

    def change_password(self, password: str) -> None:
        """Let the user log in with another password from now on."""
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        try:
            # Kafka alters a user once a request.
            failures = [
                admin.alter_user_scram_credentials(
                    [UserScramCredentialUpsertion(USER, mechanism, password)]
                )[USER]
                for mechanism in SCRAM
            ]
        finally:
            admin.close()
        assert not any(failures), failures

    def environ(self, way: str) -> dict[str, str]:
        """Settings to come in by a listener: ``TLS``, or a SASL mechanism over ``BOTH``."""
        if way == "TLS":
            return {
                "RETENTION_BROKER": self.server.addresses["TLS"],
                "RETENTION_KAFKA_SECURITY": "ssl",
                "RETENTION_KAFKA_CA_FILE": str(self.authority.ca),
                "RETENTION_KAFKA_CERT_FILE": str(self.client_certificate),
                "RETENTION_KAFKA_KEY_FILE": str(self.client_key),
            }
        return {
            "RETENTION_BROKER": self.server.addresses["BOTH"],
            "RETENTION_KAFKA_SECURITY": "sasl_ssl",
            "RETENTION_KAFKA_SASL_MECHANISM": way,
            "RETENTION_KAFKA_USER": USER,
            "RETENTION_KAFKA_PASSWORD_FILE": str(self.password_file),
            "RETENTION_KAFKA_CA_FILE": str(self.authority.ca),
        }

    def environ_in_the_clear(self, mechanism: str) -> dict[str, str]:
        """Settings for a login without TLS."""
        environ = self.environ(mechanism) | {
            "RETENTION_BROKER": self.server.addresses["LOGIN"],
            "RETENTION_KAFKA_SECURITY": "sasl_plaintext",
        }
        del environ["RETENTION_KAFKA_CA_FILE"]
        return environ


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
        # Rights are checked for everyone but the tests' own looks.
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }
    for listener in ("login", "both"):
        prefix = f"listener.name.{listener}"
        settings[f"{prefix}.sasl.enabled.mechanisms"] = ",".join(("PLAIN", *SCRAM))
        settings[f"{prefix}.plain.sasl.jaas.config"] = plain
        for mechanism in SCRAM:
            settings[f"{prefix}.{mechanism.lower()}.sasl.jaas.config"] = scram
    return settings
