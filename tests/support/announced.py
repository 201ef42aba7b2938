"""Metrics that the contract fixes and a worker may not have yet, with values for tests."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from stream.domain.catalogue import CATALOGUE

TEXT = Path(__file__).with_suffix(".prom").read_text(encoding="utf-8")


def announced_metrics() -> set[str]:
    """Their names."""
    return {family.name for family in text_string_to_metric_families(TEXT)}


def announced_exposition() -> str:
    """What a worker does not export itself, as a worker would."""
    lines = [line for line in TEXT.splitlines() if not line.startswith("# Metrics", 0)]
    kept = [line for line in lines if line and not line.startswith("#")]
    return "".join(f"{line}\n" for line in kept if line.partition("{")[0] not in CATALOGUE)
