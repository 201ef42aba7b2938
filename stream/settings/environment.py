"""Every setting with its default, and the value they make together."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from stream.domain.config import EngineConfig, Experiment
from stream.domain.lifecycle_rules import LifecycleRules
from stream.domain.pseudonyms import Pseudonyms
from stream.domain.windows import RollingWindow, Window, parse_duration_ms
from stream.settings.dialects import Dialects, load_dialects
from stream.settings.kafka import KafkaConnection, load_kafka
from stream.settings.lifecycle import load_lifecycle
from stream.settings.reader import SettingError, SettingReader
from stream.settings.redis import RedisConnection, load_redis
from stream.settings.secret import Secret
from stream.settings.values import (
    control_variant,
    dimensions,
    experiment_dimension,
    integer,
    not_empty,
    one_of,
    seconds,
    timezone,
    topic_name,
    windows,
)

DEFAULTS: Mapping[str, tuple[str, str]] = {
    "RETENTION_BROKER": ("127.0.0.1:9092", "Kafka bootstrap servers, host:port[,host:port]"),
    "RETENTION_KAFKA_SECURITY": ("plaintext", "plaintext, ssl, sasl_plaintext or sasl_ssl"),
    "RETENTION_KAFKA_SASL_MECHANISM": (
        "scram-sha-512",
        "login with sasl: plain, scram-sha-256 or scram-sha-512",
    ),
    "RETENTION_KAFKA_USER": ("", "user of the login"),
    "RETENTION_KAFKA_PASSWORD": ("", "password of the login"),
    "RETENTION_KAFKA_PASSWORD_FILE": ("", "file that holds the password instead"),
    "RETENTION_KAFKA_CA_FILE": ("", "authorities to trust, PEM; empty for those of the system"),
    "RETENTION_KAFKA_CERT_FILE": ("", "certificate of this client, PEM, if Kafka asks for one"),
    "RETENTION_KAFKA_KEY_FILE": ("", "its key, PEM, when not in the certificate's file"),
    "RETENTION_APP_ID": ("retention", "consumer group, and prefix of the changelog topic"),
    "RETENTION_REDIS_URL": ("", "meeting place of several workers; empty for one worker"),
    "RETENTION_REDIS_PASSWORD": ("", "password of Redis, when it is not in the URL"),
    "RETENTION_REDIS_PASSWORD_FILE": ("", "file that holds the password instead"),
    "RETENTION_REDIS_CA_FILE": ("", "authorities to trust, PEM; empty for those of the system"),
    "RETENTION_REDIS_CERT_FILE": ("", "certificate of this client, PEM, if Redis asks for one"),
    "RETENTION_REDIS_KEY_FILE": ("", "its key, PEM, when not in the certificate's file"),
    "RETENTION_WEB_HOST": ("127.0.0.1", "address of the worker's HTTP side"),
    "RETENTION_WEB_PORT": ("6066", "port of the worker's HTTP side"),
    "RETENTION_WEB_TOKEN": ("", "bearer token /metrics and the page ask for; empty for none"),
    "RETENTION_WEB_TOKEN_FILE": ("", "file that holds the token instead"),
    "RETENTION_ID_KEY": ("", "key of the pseudonyms to keep in place of ids; empty to keep ids"),
    "RETENTION_ID_KEY_FILE": ("", "file that holds the key instead"),
    "RETENTION_CLOCK": ("wall", '"as of": wall (now) or event (greatest event time seen)'),
    "RETENTION_WINDOWS": ("7d,30d,90d,365d,month,quarter,year", "windows, comma separated"),
    "RETENTION_DIMENSIONS": ("channel,country", "attributes to break every metric down by"),
    "RETENTION_EXPERIMENT": ("", "dimension whose segments are the variants of an experiment"),
    "RETENTION_EXPERIMENT_CONTROL": ("control", "the variant to compare the others with"),
    "RETENTION_TIMEZONE": ("UTC", "time zone of calendar windows, an IANA name"),
    "RETENTION_BUCKET": ("1h", "unit of time of rolling windows"),
    "RETENTION_HORIZON": ("800d", "how far behind as of an event may be"),
    "RETENTION_STAGE_EVENTS": (
        "off",
        "on: each change of a customer's stage is an event on RETENTION_TOPIC_LIFECYCLE",
    ),
    "RETENTION_STAGE_NEW_FOR": ("30d", "how long after its first order a customer is new"),
    "RETENTION_STAGE_AT_RISK_FACTOR": (
        "2",
        "at risk after so many times the customer's median time between orders (1 to 50)",
    ),
    "RETENTION_STAGE_AT_RISK_AT_LEAST": ("7d", "at risk not sooner than that after an order"),
    "RETENTION_STAGE_TYPICAL_INTERVAL": (
        "45d",
        "time between orders assumed of customers with fewer than three",
    ),
    "RETENTION_STAGE_LAPSED_AFTER": (
        "",
        "lapsed after so long without an order; empty for the longest rolling window",
    ),
    "RETENTION_PARTITIONS": ("8", "partitions of every topic"),
    "RETENTION_DATA_DIR": (".retention", "folder for local files"),
    "RETENTION_TOPIC_PURCHASES": ("purchases", "topic of purchases"),
    "RETENTION_TOPIC_SIGNUPS": ("signups", "topic of signups"),
    "RETENTION_TOPIC_RETURNS": ("returns", "topic of returns and cancellations"),
    "RETENTION_TOPIC_REROUTED": (
        "retention-rerouted",
        "internal: events sent on to their partition",
    ),
    "RETENTION_TOPIC_DEAD_LETTERS": ("retention-dead-letters", "events that cannot be used"),
    "RETENTION_TOPIC_LIFECYCLE": ("retention-lifecycle", "changes of customers' stages, as events"),
    "RETENTION_DIALECT_PURCHASES": (
        "auto",
        "form of its events: auto, canonical, segment, cloudevents, shopify, woocommerce or ga4",
    ),
    "RETENTION_DIALECT_SIGNUPS": ("auto", "the same, of the topic of signups"),
    "RETENTION_DIALECT_RETURNS": ("auto", "the same, of the topic of returns"),
    "RETENTION_DIALECT_EVENT_NAMES": (
        "",
        "names of events beside the platforms' own: name=type, comma separated",
    ),
    "RETENTION_DIALECT_NOT_USED": ("dead-letter", "a platform's other events: dead-letter, ignore"),
    "RETENTION_COMMIT_INTERVAL_SECONDS": ("3", "seconds between flushes of state and offsets"),
    "RETENTION_SESSION_TIMEOUT_SECONDS": (
        "10",
        "seconds without a sign of life after which the others take a worker's partitions",
    ),
    "RETENTION_LOG_LEVEL": ("info", "debug, info, warning or error"),
}

TOPIC_SETTINGS = tuple(name for name in DEFAULTS if name.startswith("RETENTION_TOPIC_"))
#: What can be guessed lets whoever has the changelog try ids.
ID_KEY_LEAST_LENGTH = 32
LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides, checked."""

    kafka: KafkaConnection
    app_id: str
    redis: RedisConnection
    web_host: str
    web_port: int
    web_token: Secret | None
    clock: Literal["wall", "event"]
    windows: tuple[Window, ...]
    dimensions: tuple[str, ...]
    experiment: Experiment | None
    pseudonyms: Pseudonyms | None
    timezone: str
    bucket_ms: int
    horizon_ms: int
    partitions: int
    data_dir: str
    topic_purchases: str
    topic_signups: str
    topic_returns: str
    topic_rerouted: str
    topic_dead_letters: str
    topic_lifecycle: str
    lifecycle: LifecycleRules
    stage_events: bool
    dialects: Dialects
    commit_interval_seconds: float
    session_timeout_seconds: float
    log_level: str

    @property
    def broker(self) -> str:
        """Kafka's bootstrap servers, as messages name it; clients take all of ``kafka``."""
        return self.kafka.bootstrap_servers

    @property
    def source_topics(self) -> tuple[str, str, str]:
        """The topics producers write to, in the order that breaks ties: purchases first."""
        return (self.topic_purchases, self.topic_signups, self.topic_returns)

    def engine_config(self) -> EngineConfig:
        """What the engine must be told."""
        return EngineConfig(
            windows=self.windows,
            dimensions=self.dimensions,
            timezone=self.timezone,
            bucket_ms=self.bucket_ms,
            horizon_ms=self.horizon_ms,
            partitions=self.partitions,
            topics=(*self.source_topics, self.topic_rerouted),
            rerouted_topic=self.topic_rerouted,
            clock=self.clock,
            dialects={
                self.topic_purchases: self.dialects.purchases,
                self.topic_signups: self.dialects.signups,
                self.topic_returns: self.dialects.returns,
            },
            event_names=self.dialects.event_names,
            ignore_not_used=self.dialects.ignore_not_used,
            lifecycle=self.lifecycle,
            stage_events=self.stage_events,
            experiment=self.experiment,
            pseudonyms=self.pseudonyms,
        )

    @property
    def changelog_topic(self) -> str:
        """The compacted topic that holds every customer's state."""
        return f"{self.app_id}-customers-changelog"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the settings.

    Raises:
        SettingError: for the first setting that cannot be used.
    """
    reader = SettingReader(os.environ if environ is None else environ, DEFAULTS)
    read = reader.read
    bucket_ms = read("RETENTION_BUCKET", parse_duration_ms)
    chosen = read("RETENTION_WINDOWS", lambda text: windows(text, bucket_ms))
    horizon_ms = read("RETENTION_HORIZON", parse_duration_ms)
    longest = max((w.length_buckets for w in chosen if isinstance(w, RollingWindow)), default=0)
    if horizon_ms < 2 * longest * bucket_ms:
        raise SettingError("RETENTION_HORIZON: must be at least twice the longest rolling window")
    broken_down_by = read("RETENTION_DIMENSIONS", dimensions)
    topics = {name: read(name, topic_name) for name in TOPIC_SETTINGS}
    _check_topics_differ(topics)
    return Settings(
        kafka=load_kafka(reader),
        app_id=read("RETENTION_APP_ID", topic_name),
        redis=load_redis(reader),
        web_host=read("RETENTION_WEB_HOST", not_empty),
        web_port=read("RETENTION_WEB_PORT", integer(0, 65_535)),
        web_token=_web_token(reader),
        clock=cast("Literal['wall', 'event']", read("RETENTION_CLOCK", one_of("wall", "event"))),
        windows=chosen,
        dimensions=broken_down_by,
        experiment=_experiment(reader, broken_down_by),
        pseudonyms=_pseudonyms(reader),
        timezone=read("RETENTION_TIMEZONE", timezone),
        bucket_ms=bucket_ms,
        horizon_ms=horizon_ms,
        partitions=read("RETENTION_PARTITIONS", integer(1, 4096)),
        data_dir=read("RETENTION_DATA_DIR", not_empty),
        topic_purchases=topics["RETENTION_TOPIC_PURCHASES"],
        topic_signups=topics["RETENTION_TOPIC_SIGNUPS"],
        topic_returns=topics["RETENTION_TOPIC_RETURNS"],
        topic_rerouted=topics["RETENTION_TOPIC_REROUTED"],
        topic_dead_letters=topics["RETENTION_TOPIC_DEAD_LETTERS"],
        topic_lifecycle=topics["RETENTION_TOPIC_LIFECYCLE"],
        lifecycle=load_lifecycle(reader, longest * bucket_ms),
        stage_events=read("RETENTION_STAGE_EVENTS", one_of("on", "off")) == "on",
        dialects=load_dialects(reader),
        commit_interval_seconds=read("RETENTION_COMMIT_INTERVAL_SECONDS", seconds(0.05, 600)),
        # Kafka's brokers refuse less than 6 s unless told otherwise.
        session_timeout_seconds=read("RETENTION_SESSION_TIMEOUT_SECONDS", seconds(6, 300)),
        log_level=read("RETENTION_LOG_LEVEL", one_of(*LOG_LEVELS)),
    )


def _experiment(reader: SettingReader, broken_down_by: tuple[str, ...]) -> Experiment | None:
    control = reader.read("RETENTION_EXPERIMENT_CONTROL", control_variant)
    dimension = reader.read(
        "RETENTION_EXPERIMENT", lambda text: experiment_dimension(text, broken_down_by)
    )
    return None if dimension is None else Experiment(dimension, control)


def _check_topics_differ(topics: Mapping[str, str]) -> None:
    # What the worker writes to a topic it reads would come round again.
    taken: dict[str, str] = {}
    for setting, topic in topics.items():
        if topic in taken:
            raise SettingError(f"{setting}: {topic} is the topic of {taken[topic]} already")
        taken[topic] = setting


def _pseudonyms(reader: SettingReader) -> Pseudonyms | None:
    key = reader.secret("RETENTION_ID_KEY")
    if key is None:
        return None
    if len(key.reveal()) < ID_KEY_LEAST_LENGTH:
        raise SettingError(
            f"RETENTION_ID_KEY: needs {ID_KEY_LEAST_LENGTH} characters or more; "
            "make one with: openssl rand -hex 32"
        )
    return Pseudonyms.under(key.reveal())


def _web_token(reader: SettingReader) -> Secret | None:
    token = reader.secret("RETENTION_WEB_TOKEN")
    if token is not None and not re.fullmatch(r"[!-~]{16,}", token.reveal()):
        raise SettingError(
            "RETENTION_WEB_TOKEN: needs 16 characters or more, without spaces; "
            "make one with: openssl rand -hex 32"
        )
    return token
