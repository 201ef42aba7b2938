"""The Grafana dashboards: written from their source, well formed, and only about what there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.source.__main__ import DASHBOARDS, text_of
from stream.domain.catalogue import CATALOGUE
from stream.publish.prometheus import Exposition
from tests.support.announced import announced_metrics
from tests.support.dashboards import FOLDER, load, metrics_in, panels_of, queries_of
from tests.support.worker import Worker

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
NAMES = sorted(DASHBOARDS)
#: Metrics of Prometheus itself and of the Python client.
FOREIGN = {"ALERTS", "up", "process_cpu_seconds_total", "process_resident_memory_bytes"}

Json = dict[str, Any]


def worker_metrics() -> set[str]:
    """Every metric a worker has: the catalogue and the worker's own."""
    body, _ = Exposition(Worker(dead_letters={"empty": 1})).scrape()
    heads = set(re.findall(r"^# TYPE (\w+) ", body.decode(), re.MULTILINE))
    return heads | CATALOGUE.keys() | announced_metrics()


def variables(board: Json) -> dict[str, Json]:
    return {variable["name"]: variable for variable in board["templating"]["list"]}


def test_the_files_are_those_written_from_the_source() -> None:
    assert sorted(path.name for path in FOLDER.glob("*.json")) == NAMES
    for name in NAMES:
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert text == text_of(DASHBOARDS[name]), "run python -m deploy.grafana.source"


@pytest.mark.parametrize("name", NAMES)
def test_grafanas_own_model_reads_every_field(name: str) -> None:
    register_default_plugins()
    board = load(name)
    read = Dashboard.from_json(board)
    again = cast("Json", json.loads(json.dumps(read, cls=JSONEncoder)))
    unread = sorted(set(fields_of(board)) - set(fields_of(again)))
    # Prometheus' annotations have fields of their own, which the general model does not know.
    annotation = re.compile(r"annotations\.list\.(titleFormat|textFormat|step)")
    assert [field for field in unread if not annotation.fullmatch(field)] == []


def fields_of(value: object, path: str = "") -> Iterator[str]:
    """The path of every leaf, without the numbers of lists; empty lists and maps have none."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from fields_of(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from fields_of(inner, path)
    else:
        yield path


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_says_what_it_shows_and_in_which_unit(name: str) -> None:
    for panel in panels_of(load(name)):
        assert panel["title"]
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize("name", NAMES)
def test_panels_fill_the_grid_without_overlap(name: str) -> None:
    board = load(name)
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_named_is_one_there_is(name: str) -> None:
    named = {metric for query in queries_of(load(name)) for metric in metrics_in(query)}
    assert named
    assert named - FOREIGN <= worker_metrics()


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_used_is_one_to_choose_and_none_is_in_vain(name: str) -> None:
    board = load(name)
    text = json.dumps(board)
    used = set(re.findall(r"\$\{?([a-z]\w*)", text))
    assert used == variables(board).keys()


@pytest.mark.parametrize("name", ["retention.json", "cohorts.json"])
def test_business_figures_never_show_which_worker_told_them(name: str) -> None:
    for query in queries_of(load(name)):
        selectors = re.findall(r"(max by \([\w, ]+\) \()?(retention_\w+)\{", query)
        assert selectors, query
        assert all(aggregation for aggregation, _ in selectors), query
        assert "instance" not in query
        assert "pod" not in query


@pytest.mark.parametrize("name", NAMES)
def test_alerts_are_marked_on_every_chart(name: str) -> None:
    (annotation,) = load(name)["annotations"]["list"]
    assert annotation["expr"].startswith("ALERTS{")
    assert annotation["enable"] is True


def test_alerts_lead_to_their_runbooks() -> None:
    board = load("pipeline.json")
    assert "${runbooks}/${__value.raw}.md" in json.dumps(board)
    # The alerting rules know the place; it is told once, there.
    assert variables(board)["runbooks"]["query"]["query"].startswith(
        "label_values(retention:links,"
    )


def test_the_data_source_and_folder_provisioned_are_those_of_the_compose_file() -> None:
    services = read_yaml(ROOT / "docker-compose.yml")["services"]
    mounts = dict(
        reversed(volume.removesuffix(":ro").split(":", 1))
        for volume in services["grafana"]["volumes"]
    )
    (source,) = read_yaml(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")[
        "datasources"
    ]
    assert source["type"] == "prometheus"
    assert re.fullmatch(r"http://prometheus:9090", source["url"])
    scrape = read_yaml(ROOT / "deploy" / "prometheus" / "prometheus.yml")["global"]
    assert source["jsonData"]["timeInterval"] == scrape["scrape_interval"]
    (provider,) = read_yaml(GRAFANA / "provisioning" / "dashboards" / "retention.yml")["providers"]
    assert mounts[provider["options"]["path"]] == "./deploy/grafana/dashboards"
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).parent == Path(provider["options"]["path"])
    assert Path(home).name in NAMES
    assert mounts["/etc/grafana/provisioning"] == "./deploy/grafana/provisioning"


def read_yaml(path: Path) -> Json:
    return cast("Json", yaml.safe_load(path.read_text(encoding="utf-8")))
