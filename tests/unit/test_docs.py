"""The documentation against the program: links, settings, metrics, commands, tests and examples."""

from __future__ import annotations

import json
import re
import runpy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stream.cli import COMMANDS
from stream.domain.catalogue import CATALOGUE
from stream.domain.events import Outcome
from stream.domain.metrics import samples
from stream.engine import Engine
from stream.publish.prometheus import Exposition
from stream.settings import load_settings
from stream.wire.checks import EventJson
from tests.benchmarks import __main__ as bench
from tests.benchmarks import freshness, scale, scrapes, soak
from tests.benchmarks.pages import END, mark_of, write
from tests.support.engines import Log, ready_engine
from tests.support.naive import Event
from tests.support.worker import Worker

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *DOCS.rglob("*.md"),
        ROOT / "stream" / "kernel" / "THIRD-PARTY.md",
        ROOT / "stream" / "tools" / "samples" / "README.md",
    ]
)
PAGE_NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made from their text."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def blocks(page: str, info: str) -> list[str]:
    """The lines of every fenced block with this info string."""
    pattern = re.compile(rf"^```{re.escape(info)}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [line for block in pattern.findall(text_of(DOCS / page)) for line in block.splitlines()]


def engine(*, windows: str, dimensions: str) -> Engine:
    environ = {
        "RETENTION_CLOCK": "event",
        "RETENTION_PARTITIONS": "1",
        "RETENTION_WINDOWS": windows,
        "RETENTION_DIMENSIONS": dimensions,
    }
    return ready_engine(load_settings(environ).engine_config())


@pytest.mark.parametrize("page", PAGES, ids=PAGE_NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text_of(page))):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=PAGE_NAMES)
def test_every_file_and_test_named_exists(page: Path) -> None:
    for name in re.findall(r"`((?:stream|tests|docs|scripts|deploy)/[\w./:-]+)`", text_of(page)):
        path, _, test = name.partition("::")
        assert (ROOT / path).exists(), name
        if test:
            assert re.search(rf"def {test}\(", text_of(ROOT / path)), name


def test_every_page_is_in_the_index() -> None:
    index = text_of(DOCS / "README.md")
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} - {"README.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def test_the_table_of_settings_is_current() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "write_settings.py"))
    document = cast("Callable[[], str]", script["document"])()
    assert text_of(DOCS / "settings.md") == document, "run scripts/write_settings.py"


def test_every_business_metric_is_documented() -> None:
    documented = set(re.findall(r"`(retention_\w+)", text_of(DOCS / "metrics.md")))
    in_readme = set(re.findall(r"`(retention_\w+)", text_of(ROOT / "README.md")))
    assert set(CATALOGUE) <= documented
    assert set(CATALOGUE) <= in_readme


def test_every_metric_of_the_worker_is_documented_and_none_that_it_has_not() -> None:
    worker = Worker(dead_letters={"empty": 1}, lag_events={("purchases", 0): 1})
    body, _ = Exposition(worker).scrape()
    shown = {
        sample.name
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        if sample.name.startswith("retention_")
    }
    # Without a value a gauge has a head only.
    shown |= set(re.findall(r"^# TYPE (retention_\w+) gauge", body.decode(), re.MULTILINE))
    _, _, own = text_of(DOCS / "metrics.md").partition("## The worker's own metrics")
    rows = set(re.findall(r"^\| `(retention_\w+)", own, re.MULTILINE))
    assert rows == shown - set(CATALOGUE)


def test_every_outcome_is_documented() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", text_of(DOCS / "metrics.md"), re.MULTILINE)
    assert {outcome.value for outcome in Outcome} <= set(rows)


def test_every_reason_of_dead_letters_is_documented() -> None:
    code = "".join(
        text_of(ROOT / "stream" / path)
        for path in ("domain/verdicts.py", "wire/checks.py", "wire/event_json.py")
    )
    reasons = set(re.findall(r'(?:Problem\(|Outcome\.\w+,|Outcome\.\w+: \()\s*"(\w+)"', code))
    assert {"empty", "not_json", "in_future", "bad_amount"} <= reasons
    # What the decoder refuses is named after the field.
    reasons |= {f"bad_{field}" for field in EventJson.__struct_fields__}
    _, _, section = text_of(DOCS / "events.md").partition("## Dead letters")
    assert reasons <= set(re.findall(r"`(\w+)`", section))


def test_the_commands_in_the_readme_are_those_there_are() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", text_of(ROOT / "README.md"), re.MULTILINE)
    assert rows == list(COMMANDS)


def test_every_make_target_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    for page in PAGES:
        named = re.findall(r"(?:^|`)make ([a-z-]+)", text_of(page), re.MULTILINE)
        assert set(named) <= targets, page


def test_every_direct_dependency_has_its_reasons() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(each for extra in extras for each in extra)]
    names = {re.split(r"[<>=!~ \[]", requirement)[0].lower() for requirement in wanted}
    names |= tomllib.loads(text_of(ROOT / "stream" / "kernel" / "Cargo.toml"))[
        "dependencies"
    ].keys()
    packages = json.loads(text_of(ROOT / "scripts" / "page-assets" / "package.json"))
    names |= packages["dependencies"].keys() | packages["devDependencies"].keys()
    page = text_of(DOCS / "decisions" / "0005-dependencies.md")
    explained = set(re.findall(r"\*\*([a-z0-9-]+)\*\*", page))
    assert names - {project["name"]} == explained


@pytest.mark.parametrize(
    "command",
    [bench.COMMAND, freshness.COMMAND, scrapes.COMMAND, scale.COMMAND, soak.COMMAND],
)
def test_the_benchmarks_find_the_places_for_their_figures(command: str, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(text_of(DOCS / "performance.md"), encoding="utf-8")
    write(command, "some figures", page)
    assert f"{mark_of(command)}\n\nsome figures\n\n{END}" in text_of(page)


def test_the_benchmark_of_alerts_finds_the_place_for_its_figures() -> None:
    mark = "<!-- figures: written by `make bench-alerts` -->"
    assert mark in text_of(DOCS / "alerting.md").splitlines()
    assert mark in text_of(ROOT / "tests" / "benchmarks" / "alerting" / "__main__.py")


@pytest.mark.parametrize("line", blocks("events.md", "json events"))
def test_every_event_shown_can_be_used(line: str) -> None:
    log = Log(engine(windows="30d", dimensions="channel,country"))
    log.send([cast("Event", json.loads(line))])
    assert log.dead_letters == []
    assert sum(log.outcomes.values()) == 1


@pytest.mark.parametrize(
    ("block", "of_window"), [("text example", True), ("text example lifetimes", False)]
)
def test_the_example_of_the_metrics_is_what_the_engine_says(block: str, *, of_window: bool) -> None:
    log = Log(engine(windows="30d", dimensions="channel"))
    log.send([cast("Event", json.loads(line)) for line in blocks("metrics.md", "json example")])
    as_of_ms = log.engine.as_of_ms(0)
    assert as_of_ms is not None
    whole = {"store": "default", "dimension": "all", "segment": "all"}
    if of_window:
        whole["window"] = "30d"
    shown = [
        (
            sample.name + sample.suffix,
            {name: text for name, text in sample.labels if name not in whole},
            sample.value,
        )
        for sample in samples(log.engine.totals(as_of_ms))
        for labels in [dict(sample.labels)]
        if ("window" in labels) is of_window
        and all(labels.get(name, text) == text for name, text in whole.items())
        and sample.name != "retention_window_mature"
    ]
    told = [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families("\n".join(blocks("metrics.md", block)) + "\n")
        for sample in family.samples
    ]
    assert sorted(told, key=str) == sorted(shown, key=str)
