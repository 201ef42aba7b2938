"""Runs the alerting rules as Prometheus does, over made-up series: ``promtool test rules``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from tests.support.prometheus_server import REPOSITORY, install

RULE_FILES = sorted((REPOSITORY / "deploy" / "prometheus" / "rules").glob("*.yml"))
#: Prometheus evaluates groups each minute, side by side; here steps are long and order counts.
GROUPS = ("retention-settings", "retention-signals", "retention-shop", "retention-pipeline")

Labels: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Series:
    """One series: a value for each interval, None where nothing was scraped."""

    name: str
    labels: Labels
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """An expression at a time, in the unit of the interval, and the samples it must give."""

    at: int
    expression: str
    samples: Sequence[tuple[Labels, float]]


def selector(name: str, labels: Labels) -> str:
    """``name{label="value",…}``."""
    inside = ",".join(f"{label}={json.dumps(value)}" for label, value in labels.items())
    return f"{name}{{{inside}}}"


def check(
    folder: Path,
    series: Sequence[Series],
    asked: Sequence[Asked],
    *,
    interval: str,
    extra_rules: str = "",
) -> None:
    """Evaluate all rules over the series, then every expression.

    Raises:
        AssertionError: with what promtool says, when an expression gives something else.
    """
    rules = list(RULE_FILES)
    if extra_rules:
        rules.append(folder / "extra.yml")
        rules[-1].write_text(extra_rules, encoding="utf-8")
    document = {
        "rule_files": [str(path) for path in rules],
        "evaluation_interval": interval,
        "group_eval_order": [*(["operator"] if extra_rules else []), *GROUPS],
        "tests": [
            {
                "interval": interval,
                "input_series": [
                    {"series": selector(one.name, one.labels), "values": _text(one.values)}
                    for one in series
                ],
                "promql_expr_test": [
                    {
                        "expr": one.expression,
                        "eval_time": f"{one.at}{interval[-1]}",
                        "exp_samples": [
                            {"labels": selector("", labels), "value": value}
                            for labels, value in one.samples
                        ],
                    }
                    for one in asked
                ],
            }
        ],
    }
    path = folder / "test.yml"
    path.write_text(yaml.safe_dump(document, width=1_000_000), encoding="utf-8")
    done = subprocess.run(
        [install() / "promtool", "test", "rules", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _text(values: Sequence[float | None]) -> str:
    return " ".join("_" if value is None else repr(float(value)) for value in values)
