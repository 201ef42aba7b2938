"""Settings: the environment read once into one frozen value. The only reader of ``os.environ``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar, cast
from zoneinfo import ZoneInfo

from stream.domain.config import EngineConfig
from stream.domain.windows import RollingWindow, Window, parse_duration_ms, parse_window

T = TypeVar("T")

DEFAULTS: Mapping[str, tuple[str, str]] = {
    "RETENTION_BROKER": ("127.0.0.1:9092", "Kafka bootstrap servers, host:port[,host:port]"),
    "RETENTION_APP_ID": ("retention", "consumer group, and prefix of the changelog topic"),
    "RETENTION_REDIS_URL": ("", "meeting place of several workers; empty for one worker"),
    "RETENTION_WEB_HOST": ("127.0.0.1", "address of the worker's HTTP side"),
    "RETENTION_WEB_PORT": ("6066", "port of the worker's HTTP side"),
    "RETENTION_CLOCK": ("wall", '"as of": wall (now) or event (greatest event time seen)'),
    "RETENTION_WINDOWS": ("7d,30d,90d,365d,month,quarter,year", "windows, comma separated"),
    "RETENTION_DIMENSIONS": ("channel,country", "attributes to break every metric down by"),
    "RETENTION_TIMEZONE": ("UTC", "time zone of calendar windows, an IANA name"),
    "RETENTION_BUCKET": ("1h", "unit of time of rolling windows"),
    "RETENTION_HORIZON": ("800d", "how far behind as of an event may be"),
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
    "RETENTION_COMMIT_INTERVAL_SECONDS": ("3", "seconds between flushes of state and offsets"),
    "RETENTION_SESSION_TIMEOUT_SECONDS": (
        "10",
        "seconds without a sign of life after which the others take a worker's partitions",
    ),
    "RETENTION_LOG_LEVEL": ("info", "debug, info, warning or error"),
}

TOPIC_SETTINGS = tuple(name for name in DEFAULTS if name.startswith("RETENTION_TOPIC_"))
LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingError(ValueError):
    """A setting that cannot be used; the message is one line that names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides, checked."""

    broker: str
    app_id: str
    redis_url: str
    web_host: str
    web_port: int
    clock: Literal["wall", "event"]
    windows: tuple[Window, ...]
    dimensions: tuple[str, ...]
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
    commit_interval_seconds: float
    session_timeout_seconds: float
    log_level: str

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
    env = os.environ if environ is None else environ

    def read(name: str, parse: Callable[[str], T]) -> T:
        text = env.get(name, DEFAULTS[name][0])
        try:
            return parse(text)
        except ValueError as error:
            raise SettingError(f"{name}: {error}") from None

    bucket_ms = read("RETENTION_BUCKET", parse_duration_ms)
    windows = read("RETENTION_WINDOWS", lambda text: _windows(text, bucket_ms))
    horizon_ms = read("RETENTION_HORIZON", parse_duration_ms)
    longest = max((w.length_buckets for w in windows if isinstance(w, RollingWindow)), default=0)
    if horizon_ms < 2 * longest * bucket_ms:
        raise SettingError("RETENTION_HORIZON: must be at least twice the longest rolling window")
    topics = {name: read(name, _topic_name) for name in TOPIC_SETTINGS}
    _check_topics_differ(topics)
    return Settings(
        broker=read("RETENTION_BROKER", _bootstrap_servers),
        app_id=read("RETENTION_APP_ID", _topic_name),
        redis_url=read("RETENTION_REDIS_URL", str.strip),
        web_host=read("RETENTION_WEB_HOST", _not_empty),
        web_port=read("RETENTION_WEB_PORT", _integer(0, 65_535)),
        clock=cast("Literal['wall', 'event']", read("RETENTION_CLOCK", _one_of("wall", "event"))),
        windows=windows,
        dimensions=read("RETENTION_DIMENSIONS", _dimensions),
        timezone=read("RETENTION_TIMEZONE", _timezone),
        bucket_ms=bucket_ms,
        horizon_ms=horizon_ms,
        partitions=read("RETENTION_PARTITIONS", _integer(1, 4096)),
        data_dir=read("RETENTION_DATA_DIR", _not_empty),
        topic_purchases=topics["RETENTION_TOPIC_PURCHASES"],
        topic_signups=topics["RETENTION_TOPIC_SIGNUPS"],
        topic_returns=topics["RETENTION_TOPIC_RETURNS"],
        topic_rerouted=topics["RETENTION_TOPIC_REROUTED"],
        topic_dead_letters=topics["RETENTION_TOPIC_DEAD_LETTERS"],
        commit_interval_seconds=read("RETENTION_COMMIT_INTERVAL_SECONDS", _seconds(0.05, 600)),
        # Kafka's brokers refuse less than 6 s unless told otherwise.
        session_timeout_seconds=read("RETENTION_SESSION_TIMEOUT_SECONDS", _seconds(6, 300)),
        log_level=read("RETENTION_LOG_LEVEL", _one_of(*LOG_LEVELS)),
    )


def _check_topics_differ(topics: Mapping[str, str]) -> None:
    # What the worker writes to a topic it reads would come round again.
    taken: dict[str, str] = {}
    for setting, topic in topics.items():
        if topic in taken:
            raise SettingError(f"{setting}: {topic} is the topic of {taken[topic]} already")
        taken[topic] = setting


def _windows(text: str, bucket_ms: int) -> tuple[Window, ...]:
    windows = tuple(parse_window(part, bucket_ms) for part in text.split(",") if part.strip())
    if not windows:
        raise ValueError("name at least one window, like 30d")
    names = [window.name for window in windows]
    if len(set(names)) < len(names):
        raise ValueError("a window is named twice")
    return windows


def _dimensions(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in names:
        if name == "all" or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name):
            raise ValueError(f"{name!r} cannot be a dimension: use letters, digits and _")
    if len(set(names)) < len(names):
        raise ValueError("a dimension is named twice")
    if len(names) > 8:  # noqa: PLR2004 - each one costs memory and time for every event
        raise ValueError("at most 8 dimensions")
    return names


def _timezone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{text!r} is not an IANA time zone, like Europe/London") from None


def _bootstrap_servers(text: str) -> str:
    for part in text.split(","):
        if not re.fullmatch(r"\s*(\[[0-9a-fA-F:]+\]|[^\s:,/]+):[0-9]{1,5}\s*", part):
            raise ValueError(f"{part.strip()!r} is not host:port")
    return ",".join(part.strip() for part in text.split(","))


def _topic_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", text):
        raise ValueError(f"{text!r} is not a topic name: use letters, digits, '.', '_' and '-'")
    return text


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text.strip()


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.strip().lower() not in choices:
            raise ValueError(f"{text!r} is not one of {', '.join(choices)}")
        return text.strip().lower()

    return parse


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text.strip()) or not low <= int(text) <= high:
            raise ValueError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            seconds = float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number of seconds") from None
        if not low <= seconds <= high:
            raise ValueError(f"{text!r} is not between {low:g} and {high:g} seconds")
        return seconds

    return parse
