"""Container and Prometheus files name only settings, ports, paths and commands there are."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import yaml

from stream.cli import COMMANDS
from stream.publish.http import build_app
from stream.settings import DEFAULTS, load_settings
from stream.tools.shop_options import add_arguments
from stream.tools.shop_scenario import SCENARIOS
from tests.support.kafka_server import VERSION as TESTED_KAFKA
from tests.support.worker import Worker

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
LOOPBACK = "127.0.0.1"
OUR_SERVICES = ("topics", "worker", "shop")

Yaml = dict[str, Any]


def read(path: str) -> Yaml:
    return cast("Yaml", yaml.safe_load((ROOT / path).read_text(encoding="utf-8")))


COMPOSE: dict[str, Yaml] = read("docker-compose.yml")["services"]
VOLUMES: Yaml = read("docker-compose.yml")["volumes"]
PROMETHEUS = read("deploy/prometheus/prometheus.yml")


def instructions(name: str) -> list[str]:
    """The arguments of every such line of the Dockerfile, continued lines joined."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    lines = code.replace("\\\n", " ").splitlines()
    return [line.removeprefix(name).strip() for line in lines if line.startswith(f"{name} ")]


def environment_of_image() -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(instructions("ENV"))))


def web_port() -> int:
    return load_settings(COMPOSE["worker"]["environment"]).web_port


def routes() -> set[str]:
    return {resource.canonical for resource in build_app(Worker()).router.resources()}


@pytest.mark.parametrize("path", ["docker-compose.yml", "deploy/docker/Dockerfile"])
def test_every_setting_named_is_one_of_the_programs(path: str) -> None:
    named = set(re.findall(r"RETENTION_[A-Z_]+", (ROOT / path).read_text(encoding="utf-8")))
    assert named
    assert named <= DEFAULTS.keys()


@pytest.mark.parametrize("service", OUR_SERVICES)
def test_the_program_accepts_the_settings_of_a_service(service: str) -> None:
    settings = load_settings(COMPOSE[service]["environment"])
    host, port = settings.broker.split(":")
    assert host in COMPOSE
    assert f"://{host}:{port}" in COMPOSE[host]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert f"://:{port}" in COMPOSE[host]["environment"]["KAFKA_LISTENERS"]


def test_all_of_ours_run_the_same_image_with_the_same_settings() -> None:
    worker = COMPOSE["worker"]
    for name in OUR_SERVICES:
        for what in ("image", "build", "environment", "user"):
            assert COMPOSE[name][what] == worker[what], (name, what)
    assert (ROOT / worker["build"]["dockerfile"]) == DOCKERFILE


def test_the_workers_meet_in_the_redis_there_is() -> None:
    address = urlsplit(COMPOSE["worker"]["environment"]["RETENTION_REDIS_URL"])
    assert (address.hostname, address.port) == ("redis", 6379)
    assert COMPOSE["worker"]["depends_on"]["redis"] == {"condition": "service_healthy"}
    assert COMPOSE["worker"]["deploy"]["replicas"] == 2


def test_every_command_named_is_one_of_the_programs() -> None:
    assert instructions("ENTRYPOINT") == ['["retention-stream"]']
    (default,) = instructions("CMD")
    named = [yaml.safe_load(default)[0], *(COMPOSE[name]["command"][0] for name in OUR_SERVICES)]
    assert set(named) <= COMMANDS.keys()


def test_the_simulated_shop_takes_its_options() -> None:
    parser = ArgumentParser()
    add_arguments(parser)
    _, *options = COMPOSE["shop"]["command"]
    for scenario in SCENARIOS:
        chosen = [re.sub(r"^\$\{SHOP_SCENARIO:-steady\}$", scenario, option) for option in options]
        assert parser.parse_args(chosen).scenario == scenario


def test_everything_published_is_on_loopback_only() -> None:
    published = [port for service in COMPOSE.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith(f"{LOOPBACK}:") for port in published)


def test_the_workers_port_is_the_one_exposed_published_and_scraped() -> None:
    port = web_port()
    image = environment_of_image()
    assert instructions("EXPOSE") == [str(port)] == [image["RETENTION_WEB_PORT"]]
    (published,) = COMPOSE["worker"]["ports"]
    host, first_and_last, inside = published.split(":")
    first, last = map(int, first_and_last.split("-"))
    assert (host, first, int(inside)) == (LOOPBACK, port, port)
    assert last - first + 1 >= COMPOSE["worker"]["deploy"]["replicas"]
    (job,) = PROMETHEUS["scrape_configs"]
    # Every worker answers to the service's name, so all of them are found.
    (found,) = job["dns_sd_configs"]
    assert (found["names"], found["type"], found["port"]) == (["worker"], "A", port)


def test_every_path_asked_for_is_served() -> None:
    (job,) = PROMETHEUS["scrape_configs"]
    (asked,) = re.findall(r"http://[^/]+(/\w+)", " ".join(instructions("HEALTHCHECK")))
    assert {job["metrics_path"], asked} <= routes()


def test_whoever_names_a_service_names_its_port() -> None:
    ports = {
        "prometheus": "9090",
        "alertmanager": "9093",
        "grafana": "3000",
    }
    for name, port in ports.items():
        (published,) = COMPOSE[name]["ports"]
        assert published == f"{LOOPBACK}:{port}:{port}"
        assert f"http://127.0.0.1:{port}/" in COMPOSE[name]["healthcheck"]["test"][-1]
    (managers,) = PROMETHEUS["alerting"]["alertmanagers"]
    assert managers["static_configs"] == [{"targets": [f"alertmanager:{ports['alertmanager']}"]}]


@pytest.mark.parametrize("name", COMPOSE)
def test_no_container_has_more_rights_than_it_needs(name: str) -> None:
    service = COMPOSE[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"].split(":")[0] not in {"0", "root"}
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    for volume in service.get("volumes", []):
        source, _, _ = volume.partition(":")
        assert source in VOLUMES or volume.endswith(":ro"), volume


def test_every_named_volume_is_used_and_declared() -> None:
    used = {
        volume.split(":")[0]
        for service in COMPOSE.values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert used == VOLUMES.keys()


def test_every_file_copied_or_mounted_exists_and_is_let_into_the_build() -> None:
    sources = [
        source
        for line in instructions("COPY")
        if not line.startswith("--from=")
        for source in line.split()[:-1]
    ]
    ignored = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text(encoding="utf-8")
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        path = Path(source)
        assert {f"!{one}" for one in (path, *path.parents)} & set(ignored.splitlines())
    mounted = [
        volume.split(":")[0]
        for service in COMPOSE.values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    ]
    assert mounted
    assert all((ROOT / source).is_dir() for source in mounted), mounted


def test_configurations_given_on_the_command_line_are_in_what_is_mounted() -> None:
    for name in ("prometheus", "alertmanager"):
        service = COMPOSE[name]
        (file,) = (
            Path(argument.removeprefix("--config.file="))
            for argument in service["command"]
            if argument.startswith("--config.file=")
        )
        (folder,) = (
            source
            for source, target, *_ in (volume.split(":") for volume in service["volumes"])
            if target == str(file.parent)
        )
        assert (ROOT / folder / file.name).is_file()


def test_prometheus_keeps_what_alerts_look_back_upon() -> None:
    assert "--storage.tsdb.retention.time=60d" in COMPOSE["prometheus"]["command"]


def test_the_image_is_built_from_the_lock_file_and_runs_without_root() -> None:
    installs = [run for run in instructions("RUN") if "-r requirements.lock" in run]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert instructions("USER") == [COMPOSE["worker"]["user"]] == ["10001:10001"]
    compiler, *bases = [line.split()[0] for line in instructions("FROM")]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", bases[0])
    # The same Debian, so that what is compiled in one runs in the other.
    assert re.fullmatch(r"rust:\d+\.\d+\.\d+-slim-bookworm", compiler)


def test_the_image_is_not_built_without_the_compiled_kernel() -> None:
    (copied,) = [line for line in instructions("COPY") if line.startswith("--from=kernel")]
    assert copied.endswith("/stream/kernel/_compiled.abi3.so")
    assert any("import stream.kernel._compiled" in run for run in instructions("RUN"))
    built_elsewhere = {"stream/kernel/target", "stream/kernel/*.so"}
    ignored = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text(encoding="utf-8")
    assert built_elsewhere <= set(ignored.splitlines())


def test_every_foreign_image_has_a_version_and_kafka_is_the_one_tested() -> None:
    foreign = {name: COMPOSE[name]["image"] for name in COMPOSE if name not in OUR_SERVICES}
    assert all(re.search(r":v?\d+\.\d+\.\d+$", image) for image in foreign.values()), foreign
    assert foreign["kafka"] == f"apache/kafka:{TESTED_KAFKA}"


def test_whoever_waits_for_health_waits_for_a_service_that_tells_it() -> None:
    with_check = {
        name for name, service in COMPOSE.items() if "test" in service.get("healthcheck", {})
    }
    if instructions("HEALTHCHECK"):
        with_check.add("worker")
    waited_for = {
        name
        for service in COMPOSE.values()
        for name, needs in service.get("depends_on", {}).items()
        if needs["condition"] == "service_healthy"
    }
    assert waited_for
    assert waited_for <= with_check
