"""The Helm chart: rendered by Helm, held against Kubernetes' schemas and against the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from stream.publish.http import build_app
from stream.settings import DEFAULTS, load_settings
from stream.tools.topics import _wanted_topics
from tests.support.deploy_tools import run
from tests.support.worker import Worker

pytestmark = pytest.mark.deploy

ROOT = Path(__file__).parents[2]
CHART = "deploy/helm/retention-stream"
CHECKER = "scripts/check_custom_resources.py"
RULES = ROOT / "deploy" / "prometheus" / "rules"
#: The oldest Kubernetes that the chart says it runs on, of those whose schemas there are, and a
#: recent one.
KUBERNETES = ("1.28", "1.37")
CUSTOM = ("monitoring.coreos.com", "keda.sh", "kafka.strimzi.io")

Json = dict[str, Any]

MINIMAL: Json = {}
FULL: Json = {
    "replicas": 3,
    "image": {"digest": f"sha256:{'0' * 64}"},
    "imagePullSecrets": [{"name": "registry"}],
    "settings": {
        "RETENTION_BROKER": "kafka.example:9093",
        "RETENTION_KAFKA_SECURITY": "sasl_ssl",
        "RETENTION_KAFKA_USER": "retention",
        "RETENTION_KAFKA_CA_FILE": "/etc/retention/kafka-ca.pem",
        "RETENTION_PARTITIONS": "12",
        "RETENTION_APP_ID": "Shop_A",
        "RETENTION_WEB_PORT": "8080",
        "RETENTION_TOPIC_PURCHASES": "orders",
    },
    "secretSettings": {
        "RETENTION_REDIS_URL": {"name": "redis", "key": "url"},
        "RETENTION_KAFKA_PASSWORD": {"name": "kafka", "key": "password"},
        "RETENTION_WEB_TOKEN": {"name": "web", "key": "token"},
    },
    "extraVolumes": [{"name": "ca", "secret": {"secretName": "kafka-ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/retention", "readOnly": True}],
    "networkPolicy": {"enabled": True, "from": [{"podSelector": {"matchLabels": {"a": "b"}}}]},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "kafkaTopics": {
        "enabled": True,
        "cluster": "main",
        "namespace": "kafka",
        "retentionMs": 8.64e10,
    },
    "autoscaling": {"enabled": True, "maxReplicas": 12, "authenticationRef": "kafka"},
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "crm"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "priorityClassName": "high",
}
CASES = {"minimal": MINIMAL, "full": FULL}


def helm(values: Json, tmp_path: Path) -> tuple[int, str, str]:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    done = run("helm", "template", "shop", CHART, "--namespace", "crm", "--values", str(file))
    return done.returncode, done.stdout, done.stderr


def rendered(values: Json, tmp_path: Path) -> list[Json]:
    code, text, errors = helm(values, tmp_path)
    assert code == 0, errors
    return [document for document in yaml.safe_load_all(text) if document]


def only(kind: str, documents: list[Json]) -> Json:
    (found,) = [document for document in documents if document["kind"] == kind]
    return found


def container(documents: list[Json]) -> Json:
    (worker,) = only("StatefulSet", documents)["spec"]["template"]["spec"]["containers"]
    return cast("Json", worker)


@pytest.fixture(params=list(CASES.values()), ids=list(CASES))
def documents(request: pytest.FixtureRequest, tmp_path: Path) -> list[Json]:
    return rendered(request.param, tmp_path)


def test_helm_lints_it() -> None:
    done = run("helm", "lint", "--strict", CHART)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_accepts_its_objects(
    documents: list[Json], version: str, tmp_path: Path
) -> None:
    core = [one for one in documents if one["apiVersion"].split("/")[0] not in CUSTOM]
    files = []
    for number, document in enumerate(core):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(yaml.safe_dump(document), encoding="utf-8")
    done = run("kubernetes-validate", "--strict", "-k", version, *map(str, files))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(f"against version {version}\n") == len(core) >= 4


def test_operators_accept_their_objects(tmp_path: Path) -> None:
    custom = [
        one
        for one in rendered(FULL, tmp_path)
        if one["apiVersion"].split("/")[0] in CUSTOM and one["kind"] != "KafkaTopic"
    ]
    wanted = {"ServiceMonitor", "ScaledObject"} | {"PrometheusRule" for _ in RULES.glob("*.yml")}
    assert {one["kind"] for one in custom} == wanted
    done = run("python", CHECKER, text=yaml.safe_dump_all(custom))
    assert done.returncode == 0, done.stderr


def test_a_field_no_operator_knows_is_noticed(tmp_path: Path) -> None:
    monitor = only("ServiceMonitor", rendered(FULL, tmp_path))
    monitor["spec"]["endpoints"][0]["intervall"] = "15s"
    done = run("python", CHECKER, text=yaml.safe_dump(monitor))
    assert done.returncode == 1
    assert "intervall" in done.stderr


def test_the_topics_are_those_the_program_would_create(tmp_path: Path) -> None:
    settings = load_settings({**FULL["settings"], "RETENTION_KAFKA_PASSWORD": "x"} | no_files())
    wanted = {
        topic.name: {name: str(value) for name, value in topic.configs.items()}
        for topic in _wanted_topics(settings)
    }
    topics = [one for one in rendered(FULL, tmp_path) if one["kind"] == "KafkaTopic"]
    ours = {"min.insync.replicas", "retention.ms"}
    made = {
        one["spec"]["topicName"]: {
            name: str(value) for name, value in one["spec"]["config"].items() if name not in ours
        }
        for one in topics
    }
    assert made == wanted
    for topic in topics:
        assert topic["spec"]["partitions"] == settings.partitions
        assert topic["metadata"]["labels"]["strimzi.io/cluster"] == "main"
        assert topic["metadata"]["name"] == topic["metadata"]["name"].lower()
        assert "_" not in topic["metadata"]["name"]
    kept = {one["spec"]["topicName"]: one["spec"]["config"].get("retention.ms") for one in topics}
    assert {name for name, ms in kept.items() if ms == 86_400_000_000} == set(
        settings.source_topics
    )


def no_files() -> Json:
    """Files of the values are not there where tests run."""
    return {name: "" for name in DEFAULTS if name.endswith("_FILE")}


def test_the_program_takes_the_settings_and_secrets_come_by_reference(
    documents: list[Json],
) -> None:
    entries = container(documents)["env"]
    assert {entry["name"] for entry in entries} <= DEFAULTS.keys()
    plain = {entry["name"]: entry["value"] for entry in entries if "value" in entry}
    secret = {entry["name"]: "x" * 16 for entry in entries if "valueFrom" in entry}
    if "RETENTION_REDIS_URL" in secret:
        secret["RETENTION_REDIS_URL"] = "redis://redis:6379/0"
    settings = load_settings(plain | secret | no_files())
    assert settings.web_host == "0.0.0.0"  # noqa: S104 - a pod's own address is not loopback
    (port,) = container(documents)["ports"]
    assert port["containerPort"] == settings.web_port


def test_probes_know_a_restore_from_a_death(documents: list[Json]) -> None:
    worker = container(documents)
    asked = {
        name: worker[f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "liveness", "readiness")
    }
    # A worker that restores is alive and not ready: only its readiness may wait for that.
    assert asked == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    served = {resource.canonical for resource in build_app(Worker()).router.resources()}
    assert set(asked.values()) <= served
    ports = {worker[f"{name}Probe"]["httpGet"]["port"] for name in asked}
    assert ports == {worker["ports"][0]["name"]}


def test_a_pod_has_no_more_rights_than_it_needs(documents: list[Json]) -> None:
    pod = only("StatefulSet", documents)["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(documents)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")
    user = pod["securityContext"]["runAsUser"]
    assert f"USER {user}:{user}" in dockerfile


def test_selectors_choose_the_pods(documents: list[Json]) -> None:
    labels = only("StatefulSet", documents)["spec"]["template"]["metadata"]["labels"]
    selectors = [
        only("StatefulSet", documents)["spec"]["selector"]["matchLabels"],
        only("Service", documents)["spec"]["selector"],
        only("PodDisruptionBudget", documents)["spec"]["selector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)


def test_prometheus_finds_the_service_under_the_job_that_rules_name(tmp_path: Path) -> None:
    documents = rendered(FULL, tmp_path)
    monitor, service = only("ServiceMonitor", documents), only("Service", documents)
    labels = service["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    scraped = yaml.safe_load(
        (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    )
    assert labels[monitor["spec"]["jobLabel"]] == scraped["scrape_configs"][0]["job_name"]
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]
    assert endpoint["authorization"]["credentials"] == {"name": "web", "key": "token"}


def test_the_alerts_are_those_of_the_rules_files(tmp_path: Path) -> None:
    made = [one for one in rendered(FULL, tmp_path) if one["kind"] == "PrometheusRule"]
    assert {one["metadata"]["name"] for one in made} == {
        f"shop-{path.stem}" for path in RULES.glob("*.yml")
    }
    for one in made:
        name = one["metadata"]["name"].removeprefix("shop-")
        assert one["spec"] == yaml.safe_load((RULES / f"{name}.yml").read_text(encoding="utf-8"))


def test_scaling_follows_the_workers_group_and_stops_at_the_partitions(tmp_path: Path) -> None:
    documents = rendered(FULL, tmp_path)
    assert "replicas" not in only("StatefulSet", documents)["spec"]
    scaled = only("ScaledObject", documents)["spec"]
    assert scaled["scaleTargetRef"]["name"] == only("StatefulSet", documents)["metadata"]["name"]
    topics = [trigger["metadata"]["topic"] for trigger in scaled["triggers"]]
    assert topics == ["orders", "signups", "returns"]
    for trigger in scaled["triggers"]:
        assert trigger["metadata"]["consumerGroup"] == FULL["settings"]["RETENTION_APP_ID"]
        assert trigger["metadata"]["bootstrapServers"] == FULL["settings"]["RETENTION_BROKER"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"replicas": 2}, "more than one worker needs Redis"),
        ({"replicas": 9}, "9 workers for 8 partitions"),
        ({"replicas": "2"}, "replicas"),
        ({"replica": 2}, "replica"),
        ({"settings": {"RETENTION_PARTITIONS": 8}}, "RETENTION_PARTITIONS"),
        ({"settings": {"KAFKA": "a"}}, "KAFKA"),
        ({"kafkaTopics": {"enabled": True}}, "name the Strimzi cluster"),
        (
            {"secretSettings": {"RETENTION_BROKER": {"name": "a", "key": "b"}}},
            "RETENTION_BROKER is in settings and in secretSettings",
        ),
        ({"image": {"digest": "latest"}}, "digest"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_values_that_cannot_work_are_refused_with_their_name(
    values: Json, says: str, tmp_path: Path
) -> None:
    code, _, errors = helm(values, tmp_path)
    assert code != 0
    assert says in errors
