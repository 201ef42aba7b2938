"""Settings: defaults, and one line for each that cannot be used."""

from __future__ import annotations

import pytest

from stream.domain.windows import CalendarUnit, CalendarWindow, RollingWindow
from stream.settings import DEFAULTS, RedisConnection, SettingError, load_settings


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = load_settings({})
    assert settings.broker == "127.0.0.1:9092"
    assert settings.app_id == "retention"
    assert settings.redis == RedisConnection()
    assert (settings.web_host, settings.web_port) == ("127.0.0.1", 6066)
    assert settings.clock == "wall"
    assert [window.name for window in settings.windows] == [
        "7d",
        "30d",
        "90d",
        "365d",
        "month",
        "quarter",
        "year",
    ]
    assert settings.windows[0] == RollingWindow("7d", 168)
    assert settings.windows[-1] == CalendarWindow("year", CalendarUnit.YEAR)
    assert settings.dimensions == ("channel", "country")
    assert (settings.timezone, settings.bucket_ms) == ("UTC", 3_600_000)
    assert settings.horizon_ms == 800 * 86_400_000
    assert settings.partitions == 8
    assert settings.source_topics == ("purchases", "signups", "returns")
    assert settings.changelog_topic == "retention-customers-changelog"


def test_every_setting_has_a_default_that_can_be_used_and_a_help() -> None:
    settings = load_settings({name: default for name, (default, _) in DEFAULTS.items()})
    assert settings == load_settings({})
    assert all(text for _, text in DEFAULTS.values())


def test_the_engine_is_told_what_the_numbers_depend_on() -> None:
    settings = load_settings(
        {
            "RETENTION_CLOCK": " Event ",
            "RETENTION_TIMEZONE": "Europe/Berlin",
            "RETENTION_DIMENSIONS": "",
            "RETENTION_PARTITIONS": "3",
            "RETENTION_TOPIC_REROUTED": "again",
        }
    )
    config = settings.engine_config()
    assert (config.clock, config.timezone, config.dimensions) == ("event", "Europe/Berlin", ())
    assert config.partitions == 3
    assert config.topics == ("purchases", "signups", "returns", "again")
    assert config.rerouted_topic == "again"
    assert config.windows == settings.windows


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RETENTION_BROKER", ""),
        ("RETENTION_BROKER", "localhost"),
        ("RETENTION_BROKER", "kafka://a:9092"),
        ("RETENTION_BROKER", "a:9092,"),
        ("RETENTION_APP_ID", ""),
        ("RETENTION_APP_ID", "a b"),
        ("RETENTION_WEB_HOST", " "),
        ("RETENTION_WEB_PORT", "65536"),
        ("RETENTION_WEB_PORT", "-1"),
        ("RETENTION_WEB_PORT", "http"),
        ("RETENTION_CLOCK", "sun"),
        ("RETENTION_WINDOWS", ""),
        ("RETENTION_WINDOWS", "7d,7d"),
        ("RETENTION_WINDOWS", "7d,decade"),
        ("RETENTION_WINDOWS", "90m"),
        ("RETENTION_DIMENSIONS", "all"),
        ("RETENTION_DIMENSIONS", "a,a"),
        ("RETENTION_DIMENSIONS", "a-b"),
        ("RETENTION_DIMENSIONS", "a,b,c,d,e,f,g,h,i"),
        ("RETENTION_TIMEZONE", "Mars/Olympus"),
        ("RETENTION_TIMEZONE", ""),
        ("RETENTION_TIMEZONE", "../etc/passwd"),
        ("RETENTION_BUCKET", "1"),
        ("RETENTION_BUCKET", "0h"),
        ("RETENTION_HORIZON", "729d"),
        ("RETENTION_HORIZON", "long"),
        ("RETENTION_PARTITIONS", "0"),
        ("RETENTION_PARTITIONS", "4097"),
        ("RETENTION_PARTITIONS", "eight"),
        ("RETENTION_DATA_DIR", ""),
        ("RETENTION_TOPIC_PURCHASES", "a/b"),
        ("RETENTION_TOPIC_DEAD_LETTERS", ""),
        ("RETENTION_COMMIT_INTERVAL_SECONDS", "0"),
        ("RETENTION_COMMIT_INTERVAL_SECONDS", "nan"),
        ("RETENTION_COMMIT_INTERVAL_SECONDS", "soon"),
        ("RETENTION_LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_setting_is_one_line_that_names_it(name: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        load_settings({name: value})
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert "\n" not in message
    assert len(message) > len(name) + 5


def test_windows_must_be_whole_buckets_of_the_configured_length() -> None:
    environment = {"RETENTION_WINDOWS": "90m", "RETENTION_BUCKET": "30m"}
    assert load_settings(environment).windows == (RollingWindow("90m", 3),)
    with pytest.raises(SettingError, match="RETENTION_WINDOWS: window 7d is not a whole number"):
        load_settings({"RETENTION_BUCKET": "10d", "RETENTION_WINDOWS": "7d"})


def test_the_horizon_need_be_no_longer_than_twice_the_longest_rolling_window() -> None:
    short = {"RETENTION_WINDOWS": "1d,year", "RETENTION_HORIZON": "2d"}
    assert load_settings(short).horizon_ms == 2 * 86_400_000


def test_several_brokers_may_be_named() -> None:
    environment = {"RETENTION_BROKER": "a:1, b.example:9092,[::1]:9092"}
    assert load_settings(environment).broker == "a:1,b.example:9092,[::1]:9092"


@pytest.mark.parametrize("name", ["RETENTION_TOPIC_DEAD_LETTERS", "RETENTION_TOPIC_REROUTED"])
@pytest.mark.parametrize("source", ["purchases", "signups", "returns"])
def test_what_the_worker_writes_is_no_topic_that_it_reads_as_a_source(
    name: str, source: str
) -> None:
    with pytest.raises(SettingError, match=source):
        load_settings({name: source})


def test_dead_letters_are_not_rerouted() -> None:
    with pytest.raises(SettingError):
        load_settings({"RETENTION_TOPIC_DEAD_LETTERS": "retention-rerouted"})


def test_dialects_are_told_apart_unless_a_topic_names_one() -> None:
    config = load_settings({}).engine_config()
    assert config.dialects == {"purchases": "auto", "signups": "auto", "returns": "auto"}
    assert (config.event_names, config.ignore_not_used) == ((), False)
    config = load_settings(
        {
            "RETENTION_TOPIC_PURCHASES": "orders",
            "RETENTION_DIALECT_PURCHASES": "Segment",
            "RETENTION_DIALECT_RETURNS": "canonical",
            "RETENTION_DIALECT_EVENT_NAMES": "Checkout Done=purchase, a=b=signup,",
            "RETENTION_DIALECT_NOT_USED": "ignore",
        }
    ).engine_config()
    assert config.dialects == {"orders": "segment", "signups": "auto", "returns": "canonical"}
    assert config.event_names == (("checkout done", "purchase"), ("a=b", "signup"))
    assert config.ignore_not_used


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("RETENTION_DIALECT_PURCHASES", "magento"),
        ("RETENTION_DIALECT_NOT_USED", "drop"),
        ("RETENTION_DIALECT_EVENT_NAMES", "Checkout Done"),
        ("RETENTION_DIALECT_EVENT_NAMES", "=purchase"),
        ("RETENTION_DIALECT_EVENT_NAMES", "Checkout Done=order"),
        ("RETENTION_DIALECT_EVENT_NAMES", "a=purchase,A=signup"),
    ],
)
def test_a_dialect_setting_that_cannot_be_used_is_named(name: str, text: str) -> None:
    with pytest.raises(SettingError, match=name):
        load_settings({name: text})
