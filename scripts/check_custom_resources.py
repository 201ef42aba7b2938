"""Reads objects of the Prometheus Operator and KEDA with models made from their own definitions.

Run by the Python of ``.cache/deploy-tools``: objects as a YAML stream on stdin. What the models do
not read is said on stderr, with exit code 1.
"""

from __future__ import annotations

import sys
from typing import Any

import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import PrometheusRule, ServiceMonitor

MODELS = {model.__name__: model for model in (ScaledObject, PrometheusRule, ServiceMonitor)}


def unread(wanted: Any, read: Any, path: str) -> list[str]:  # noqa: ANN401 - JSON
    """Where a model has dropped or changed something: it ignores fields it does not know."""
    if isinstance(wanted, dict) and isinstance(read, dict):
        return [
            problem
            for name, value in wanted.items()
            for problem in unread(value, read.get(name), f"{path}.{name}")
        ]
    if isinstance(wanted, list) and isinstance(read, list) and len(wanted) == len(read):
        pairs = enumerate(zip(wanted, read, strict=True))
        return [problem for n, (a, b) in pairs for problem in unread(a, b, f"{path}[{n}]")]
    return [] if wanted == read else [f"{path}: {wanted!r} was read as {read!r}"]


def main() -> None:
    """Check all of them."""
    problems = []
    for wanted in yaml.safe_load_all(sys.stdin):
        model = MODELS[wanted["kind"]].model_validate(wanted)
        read = model.model_dump(by_alias=True, exclude_unset=True, mode="json")
        problems += unread(wanted, read, wanted["kind"])
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
