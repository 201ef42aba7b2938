"""What to tell when Kafka is there and does not let us in: one line, with the settings to check."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

    from stream.settings.kafka import KafkaConnection


def login_refused(kafka: KafkaConnection) -> str:
    """The broker does not know this user, password and mechanism together."""
    who = "a client without a login" if kafka.login is None else f"user {kafka.login.user!r}"
    how = "" if kafka.login is None else f" with {kafka.login.mechanism}"
    return (
        f"Kafka at {kafka.bootstrap_servers} refused {who}{how}: check RETENTION_KAFKA_USER, "
        "RETENTION_KAFKA_PASSWORD and RETENTION_KAFKA_SASL_MECHANISM"
    )


def certificate_not_trusted(kafka: KafkaConnection, error: ssl.SSLCertVerificationError) -> str:
    """The broker's certificate is from an unknown authority, for another host, or expired."""
    return (
        f"the certificate of Kafka at {kafka.bootstrap_servers} is not trusted "
        f"({error.verify_message.rstrip('.')}): name its authority in RETENTION_KAFKA_CA_FILE, "
        "and in RETENTION_BROKER a host name that it holds"
    )


def not_answered(kafka: KafkaConnection, reason: object) -> str:
    """A server is there and gives no usable answer: mostly, it speaks another protocol."""
    checks = [f"whether its listener speaks RETENTION_KAFKA_SECURITY={kafka.security}"]
    if kafka.tls is not None:
        checks.append("RETENTION_KAFKA_CERT_FILE if it asks for a certificate")
    if kafka.login is not None:
        checks.append("RETENTION_KAFKA_USER and RETENTION_KAFKA_PASSWORD")
    return (
        f"Kafka at {kafka.bootstrap_servers} did not answer a first request ({reason}): "
        f"check {'; '.join(checks)}"
    )
