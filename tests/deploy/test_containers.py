"""The compose file and the Dockerfile, read by the programs they are for."""

from __future__ import annotations

from typing import Any, cast

import pytest
import yaml

from tests.deploy.test_compose import COMPOSE
from tests.support.deploy_tools import run

pytestmark = pytest.mark.deploy

Service = dict[str, Any]


def composed(*profiles: str) -> dict[str, Service]:
    """The services as docker-compose itself understands them."""
    chosen = [argument for profile in profiles for argument in ("--profile", profile)]
    done = run("docker-compose", *chosen, "config")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return cast("dict[str, Service]", yaml.safe_load(done.stdout)["services"])


def test_compose_reads_the_file_without_a_warning() -> None:
    assert composed("demo").keys() == COMPOSE.keys()


def test_the_simulated_shop_is_there_only_when_asked_for() -> None:
    assert COMPOSE.keys() - composed().keys() == {"shop"}


def test_compose_merges_what_every_container_gets() -> None:
    for name, service in composed("demo").items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"].split(":")[0] not in {"", "0", "root"}, name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}, name


def test_hadolint_finds_nothing() -> None:
    done = run("hadolint", "--failure-threshold", "style", "deploy/docker/Dockerfile")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_hadolint_would_find_something() -> None:
    done = run("hadolint", "-", text="FROM debian\nRUN cd /tmp && sudo apt install curl\n")
    assert done.returncode != 0
    assert "DL3006" in done.stdout
