"""Logins, TLS files and tokens: what goes together, and that no secret shows anywhere."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from stream.cli import run_command
from stream.settings import DEFAULTS, Secret, SettingError, load_settings
from stream.settings.kafka_refusals import login_refused, not_answered
from tests.support.certificates import Authority

PASSWORD = "hunter2-hunter2-hunter2"  # noqa: S105 - made up
LOGIN = {
    "RETENTION_KAFKA_SECURITY": "sasl_plaintext",
    "RETENTION_KAFKA_USER": "shop",
    "RETENTION_KAFKA_PASSWORD": PASSWORD,
}
REDIS = {"RETENTION_REDIS_URL": "rediss://cache.example:6380/2"}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(SettingError) as caught:
        load_settings(environ)
    message = str(caught.value)
    assert "\n" not in message
    assert PASSWORD not in message
    return message


def test_kafka_is_reached_in_the_clear_unless_told_otherwise() -> None:
    assert load_settings({}).kafka.client_options() == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "PLAINTEXT",
    }


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "scram-sha-512"])
def test_a_login_is_handed_to_the_clients(mechanism: str) -> None:
    settings = load_settings({**LOGIN, "RETENTION_KAFKA_SASL_MECHANISM": mechanism})
    assert settings.kafka.client_options() == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": mechanism.upper(),
        "sasl_plain_username": "shop",
        "sasl_plain_password": PASSWORD,
    }


def test_tls_checks_certificate_and_host_name_with_the_given_authority(
    authority: Authority,
) -> None:
    certificate, key = authority.issue("client")
    options = load_settings(
        {
            **LOGIN,
            "RETENTION_KAFKA_SECURITY": "SASL_SSL",
            "RETENTION_KAFKA_CA_FILE": str(authority.ca),
            "RETENTION_KAFKA_CERT_FILE": str(certificate),
            "RETENTION_KAFKA_KEY_FILE": str(key),
        }
    ).kafka.client_options()
    assert options["security_protocol"] == "SASL_SSL"
    assert options["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert options["ssl_context"].check_hostname
    assert len(options["ssl_context"].get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"RETENTION_KAFKA_SECURITY": "tls"}, "RETENTION_KAFKA_SECURITY"),
        ({"RETENTION_KAFKA_SASL_MECHANISM": "GSSAPI"}, "RETENTION_KAFKA_SASL_MECHANISM"),
        ({"RETENTION_KAFKA_USER": ""}, "RETENTION_KAFKA_USER"),
        ({"RETENTION_KAFKA_PASSWORD": ""}, "RETENTION_KAFKA_PASSWORD"),
        ({"RETENTION_KAFKA_PASSWORD_FILE": "/no/such"}, "RETENTION_KAFKA_PASSWORD_FILE"),
        ({"RETENTION_KAFKA_SECURITY": "plaintext"}, "RETENTION_KAFKA_USER"),
        ({"RETENTION_KAFKA_CA_FILE": "/ca.pem"}, "RETENTION_KAFKA_CA_FILE"),
        ({"RETENTION_KAFKA_KEY_FILE": "/key.pem"}, "RETENTION_KAFKA_KEY_FILE"),
        ({"RETENTION_REDIS_PASSWORD": PASSWORD}, "RETENTION_REDIS_PASSWORD"),
        ({"RETENTION_REDIS_CA_FILE": "/ca.pem"}, "RETENTION_REDIS_CA_FILE"),
        ({"RETENTION_REDIS_URL": "cache:6379"}, "RETENTION_REDIS_URL"),
        ({"RETENTION_REDIS_URL": f"http://:{PASSWORD}@cache"}, "RETENTION_REDIS_URL"),
        ({"RETENTION_REDIS_URL": f"redis://:{PASSWORD}@cache:x"}, "RETENTION_REDIS_URL"),
        ({"RETENTION_REDIS_URL": f"redis://:{PASSWORD}℀@cache"}, "RETENTION_REDIS_URL"),
        ({"RETENTION_REDIS_URL": f"redis://cache?password={PASSWORD}"}, "RETENTION_REDIS_URL"),
        ({"RETENTION_REDIS_URL": "redis://cache/first"}, "RETENTION_REDIS_URL"),
        ({"RETENTION_REDIS_URL": "unix://"}, "RETENTION_REDIS_URL"),
        ({"RETENTION_REDIS_URL": "redis://shop@cache"}, "RETENTION_REDIS_PASSWORD"),
        ({"RETENTION_WEB_TOKEN": "short"}, "RETENTION_WEB_TOKEN"),
        ({"RETENTION_WEB_TOKEN": f"{PASSWORD} {PASSWORD}"}, "RETENTION_WEB_TOKEN"),
    ],
)
def test_what_is_missing_contradictory_or_without_effect_is_one_line(
    changed: dict[str, str], names: str
) -> None:
    assert refusal({**LOGIN, **changed}).startswith(f"{names}: ")


def test_a_redis_password_stands_in_one_place_only() -> None:
    environ = {
        "RETENTION_REDIS_URL": f"redis://:{PASSWORD}@cache",
        "RETENTION_REDIS_PASSWORD": PASSWORD,
    }
    assert refusal(environ).startswith("RETENTION_REDIS_PASSWORD: ")


@pytest.mark.parametrize("prefix", ["RETENTION_KAFKA", "RETENTION_REDIS"])
def test_tls_files_that_cannot_be_used_are_named(
    prefix: str, authority: Authority, tmp_path: Path
) -> None:
    environ = {"RETENTION_KAFKA_SECURITY": "ssl", **REDIS}
    certificate, key = authority.issue("client")
    _, other_key = authority.issue("other")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")
    ca, cert, private = f"{prefix}_CA_FILE", f"{prefix}_CERT_FILE", f"{prefix}_KEY_FILE"

    assert refusal({**environ, ca: "/no/such.pem"}) == (
        f"{ca}: cannot read /no/such.pem (No such file or directory)"
    )
    assert refusal({**environ, ca: str(nonsense)}).startswith(f"{ca}: ")
    assert refusal({**environ, private: str(key)}).startswith(f"{cert}: missing")
    assert refusal({**environ, cert: str(certificate)}).startswith(f"{cert}: ")
    mixed = refusal({**environ, cert: str(certificate), private: str(other_key)})
    assert mixed.startswith(f"{cert}, {private}: ")


def test_a_key_with_a_passphrase_is_refused_without_asking_for_it(
    authority: Authority, tmp_path: Path
) -> None:
    certificate, _ = authority.issue("client")
    locked = tmp_path / "locked.key"
    locked.write_bytes(authority.locked_key(b"secret"))
    message = refusal(
        {
            "RETENTION_KAFKA_SECURITY": "ssl",
            "RETENTION_KAFKA_CERT_FILE": str(certificate),
            "RETENTION_KAFKA_KEY_FILE": str(locked),
        }
    )
    assert "passphrase" in message


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_may_stand_in_a_file(tmp_path: Path, ending: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(f"{PASSWORD}{ending}".encode())
    settings = load_settings(
        {
            **LOGIN,
            **REDIS,
            "RETENTION_KAFKA_PASSWORD": "",
            "RETENTION_KAFKA_PASSWORD_FILE": str(file),
            "RETENTION_REDIS_PASSWORD_FILE": str(file),
            "RETENTION_WEB_TOKEN_FILE": f" {file} ",
        }
    )
    assert settings.kafka.client_options()["sasl_plain_password"] == PASSWORD
    assert settings.redis.client_options() == {"password": PASSWORD}
    assert settings.web_token == Secret(PASSWORD)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 5000])
def test_a_file_without_a_usable_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    message = refusal({"RETENTION_WEB_TOKEN_FILE": str(file)})
    assert message.startswith(f"RETENTION_WEB_TOKEN_FILE: {file} ")


def test_a_secret_and_its_file_contradict_each_other(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(PASSWORD)
    environ = {"RETENTION_WEB_TOKEN": PASSWORD, "RETENTION_WEB_TOKEN_FILE": str(file)}
    assert refusal(environ).startswith("RETENTION_WEB_TOKEN_FILE: ")


@pytest.mark.parametrize(
    ("url", "bare", "options"),
    [
        ("redis://cache", "redis://cache", {}),
        ("redis://[::1]:6380/1", "redis://[::1]:6380/1", {}),
        ("unix:///run/redis.sock", "unix:///run/redis.sock", {}),
        ("redis://:p%40ss@cache:1", "redis://cache:1", {"password": "p@ss"}),
        ("rediss://me:pass@cache", "rediss://cache", {"username": "me", "password": "pass"}),
    ],
)
def test_a_login_in_the_url_of_redis_is_kept_apart_from_it(
    url: str, bare: str, options: dict[str, str]
) -> None:
    redis = load_settings({"RETENTION_REDIS_URL": url}).redis
    assert redis.url == bare
    assert redis.client_options() == options


def test_tls_files_are_handed_to_the_redis_client(authority: Authority) -> None:
    certificate, key = authority.issue("client")
    redis = load_settings(
        {
            **REDIS,
            "RETENTION_REDIS_CA_FILE": str(authority.ca),
            "RETENTION_REDIS_CERT_FILE": str(certificate),
            "RETENTION_REDIS_KEY_FILE": str(key),
        }
    ).redis
    assert redis.client_options() == {
        "ssl_ca_certs": str(authority.ca),
        "ssl_certfile": str(certificate),
        "ssl_keyfile": str(key),
    }


def test_no_secret_is_in_what_settings_show_of_themselves() -> None:
    settings = load_settings(
        {
            **LOGIN,
            "RETENTION_REDIS_URL": f"redis://:{PASSWORD}@cache",
            "RETENTION_WEB_TOKEN": PASSWORD,
        }
    )
    kafka = settings.kafka
    shown = [
        repr(settings),
        str(settings),
        # What clients log of their options at debug.
        f"{kafka.client_options()} {settings.redis.client_options()}",
        login_refused(kafka),
        not_answered(kafka, "reset"),
    ]
    assert not [text for text in shown if PASSWORD in text]
    assert kafka.client_options()["sasl_plain_password"] == PASSWORD


def test_no_secret_is_in_the_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in DEFAULTS:
        if name.endswith(("_PASSWORD", "_TOKEN")):
            monkeypatch.setenv(name, PASSWORD)
    with pytest.raises(SystemExit):
        run_command(["--help"])
    printed = capsys.readouterr().out
    assert "RETENTION_KAFKA_PASSWORD=" in printed
    assert PASSWORD not in printed


def test_secrets_are_compared_whole() -> None:
    secret = Secret(PASSWORD)
    assert secret.matches(PASSWORD)
    assert not secret.matches(PASSWORD[:-1])
    assert not secret.matches(f"{PASSWORD}x")
    assert not secret.matches("\udcff")
