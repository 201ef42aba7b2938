"""Every alert has what whoever is woken by it needs, and asks for metrics that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from stream.domain.catalogue import CATALOGUE
from stream.publish.prometheus import Exposition
from tests.support.prometheus_server import REPOSITORY, install
from tests.support.promtool import RULE_FILES
from tests.support.worker import Worker

Rule = dict[str, Any]

DEPLOY = REPOSITORY / "deploy"
RUNBOOKS = DEPLOY / "runbooks"
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
ALERTMANAGER = DEPLOY / "alertmanager" / "alertmanager.yml"

#: Nobody sets them until an operator does.
OPERATORS = {"retention:setting_floor", "retention:setting_ceiling"}

RULES: list[Rule] = [
    rule
    for path in RULE_FILES
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
NAMES = sorted({rule["alert"] for rule in ALERTS})


def expressions() -> str:
    return "\n".join(rule["expr"] for rule in RULES)


def metrics_shown() -> set[str]:
    body, _ = Exposition(
        Worker(dead_letters={"empty": 1}, lag_events={("purchases", 0): 1})
    ).scrape()
    text = body.decode()
    families = text_string_to_metric_families(text)
    names = {sample.name for family in families for sample in family.samples}
    return names | set(CATALOGUE)


def test_the_alerts_are_those_there_should_be() -> None:
    assert NAMES == [
        "ActivationDropped",
        "ChurnRateRose",
        "RepeatPurchaseRateDropped",
        "RetentionDeadLetters",
        "RetentionLag",
        "RetentionNoData",
        "RetentionPartitionsMissing",
        "RetentionRateDropped",
        "RetentionStalled",
        "ReturnRateRose",
    ]


def test_every_metric_asked_for_is_in_a_scrape() -> None:
    asked = set(re.findall(r"\bretention_[a-z0-9_]+", expressions()))
    assert len(asked) > 10
    assert asked <= metrics_shown()


def test_every_recorded_series_asked_for_is_recorded() -> None:
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    recorded |= OPERATORS
    assert set(re.findall(r"\bretention:[a-z0-9_:]+", expressions())) <= recorded


def test_nothing_depends_on_which_worker_exports_the_gauges() -> None:
    """A scraped gauge is read inside `max without (instance, …)` or counters inside a sum."""
    for rule in RULES:
        for match in re.finditer(r"\bretention_[a-z0-9_]+", rule["expr"]):
            if match.group() == "retention_customers" and rule.get("alert") == "RetentionNoData":
                continue  # asks whether there is any, and keeps none of its labels
            if rule["expr"][: match.start()].endswith("absent("):
                continue
            before = rule["expr"][: match.start()]
            opened = re.sub(r"\((?:increase|rate)\($", "(", before)
            assert re.search(r"without \(instance, pod, [a-z, ]+\)\s*\($", opened), rule


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: f"{rule['alert']}")
def test_every_alert_says_what_where_and_how_long(alert: Rule) -> None:
    assert {"kind", "severity"} <= alert["labels"].keys()
    assert alert["labels"]["kind"] in ("shop", "pipeline")
    assert alert["for"]
    assert alert["keep_firing_for"]
    notes = alert["annotations"]
    assert notes.keys() == {"summary", "description", "runbook_url", "dashboard_url"}
    assert all(text.strip() for text in notes.values())
    assert notes["runbook_url"].endswith(f"/{alert['alert']}.md")
    assert "{{" in notes["dashboard_url"]


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_has_a_runbook(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    for section in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]:
        assert len(section.split()) > 10, "a section says something"


def test_there_is_no_runbook_without_an_alert() -> None:
    assert sorted(path.stem for path in RUNBOOKS.glob("*.md")) == NAMES


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_runbooks_name_only_series_and_metrics_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    recorded |= OPERATORS
    assert set(re.findall(r"\bretention:[a-z0-9_:]+", text)) <= recorded
    assert set(re.findall(r"\bretention_[a-z0-9_]+", text)) <= metrics_shown()


def test_every_setting_and_every_alert_is_documented() -> None:
    text = (REPOSITORY / "docs" / "alerting.md").read_text(encoding="utf-8")
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    settings = {name for name in recorded if name.startswith("retention:setting_")}
    assert settings | OPERATORS <= set(re.findall(r"^\| `(retention:\w+)", text, re.MULTILINE))
    assert set(NAMES) == set(re.findall(r"^\| `([A-Z]\w+)` \|", text, re.MULTILINE))


def test_the_pipelines_alerts_hold_back_the_shops() -> None:
    config = cast("Rule", yaml.safe_load(ALERTMANAGER.read_text(encoding="utf-8")))
    held_back = [
        (rule["source_matchers"], rule["target_matchers"]) for rule in config["inhibit_rules"]
    ]
    assert (['kind="pipeline"'], ['kind="shop"']) in held_back
    receivers = {receiver["name"] for receiver in config["receivers"]}
    routes = [config["route"], *config["route"]["routes"]]
    assert {route["receiver"] for route in routes} <= receivers


def test_prometheus_reads_the_rules_and_knows_an_alertmanager() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text(encoding="utf-8"))
    (pattern,) = config["rule_files"]
    assert sorted((DEPLOY / "prometheus").glob(pattern)) == RULE_FILES
    assert config["alerting"]["alertmanagers"]


@pytest.mark.prometheus
def test_prometheus_and_alertmanager_accept_their_files() -> None:
    commands: list[tuple[str, list[str | Path]]] = [
        ("promtool", ["check", "config", DEPLOY / "prometheus/prometheus.yml"]),
        ("promtool", ["check", "rules", *RULE_FILES]),
        ("amtool", ["check-config", ALERTMANAGER]),
    ]
    for name, arguments in commands:
        done = subprocess.run(
            [install() / name, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.prometheus
@pytest.mark.parametrize(("kind", "receiver"), [("shop", "shop"), ("pipeline", "operators")])
def test_each_kind_of_alert_reaches_its_people(kind: str, receiver: str) -> None:
    done = subprocess.run(
        [
            *(install() / "amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}"),
            *(f"--verify.receivers={receiver}", f"kind={kind}", "store=shop"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
