"""The project's rules, cut into passes that Prometheus can evaluate over the past.

``promtool tsdb create-blocks-from rules`` evaluates rules over stored series, but a rule does not
see what another one has just made. So each pass has the rules whose ingredients are there already.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from tests.support.promtool import RULE_FILES

Rule: TypeAlias = dict[str, Any]

_RULES_BY_GROUP: dict[str, list[Rule]] = {
    group["name"]: group["rules"]
    for path in RULE_FILES
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
}
#: In an order in which each rule comes after those it reads.
RULES: list[Rule] = [
    rule
    for name in ("retention-settings", "retention-signals", "retention-shop")
    for rule in _RULES_BY_GROUP[name]
]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule of the shop."""

    name: str
    expression: str
    for_hours: int
    keep_firing_hours: int


def passes() -> list[list[Rule]]:
    """Recording rules by how many others must come before them."""
    depth: dict[str, int] = {}
    result: list[list[Rule]] = []
    for rule in RULES:
        if "record" not in rule:
            continue
        ingredients = re.findall(r"\bretention:[a-z0-9_:]+", rule["expr"])
        level = max((depth[name] + 1 for name in ingredients if name in depth), default=0)
        depth[rule["record"]] = max(level, depth.get(rule["record"], 0))
        while len(result) <= level:
            result.append([])
        result[level].append(rule)
    return result


def alerts() -> list[Alert]:
    """The shop's alerts that compare with the past."""
    return [
        Alert(rule["alert"], rule["expr"], _hours(rule["for"]), _hours(rule["keep_firing_for"]))
        for rule in RULES
        if rule.get("alert") and rule["labels"]["against"] == "past"
    ]


def _hours(text: str) -> int:
    if not text.endswith("h"):
        raise ValueError(f"an evaluation each hour cannot measure a duration of {text}")
    return int(text[:-1])
