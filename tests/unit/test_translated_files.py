"""Files in other forms, translated for the oracle."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

from stream.settings import load_settings
from stream.tools.oracle import OracleParameters, recompute
from stream.tools.translated_files import translated_files
from tests.support.dialect_documents import segment_order, shopify_order, shopify_refund, woo_order
from tests.support.engines import DAY_MS, HOUR_MS, NOW_MS, engine_config, gauges_of, ready_engine
from tests.support.naive import NaiveConfig

if TYPE_CHECKING:
    from pathlib import Path

PURCHASE = {
    "type": "purchase",
    "customer_id": "c-1",
    "occurred_at": "2025-03-05T10:00:00Z",
    "order_id": "o-1",
    "amount": "12.50",
    "currency": "EUR",
}
LINES = [
    json.dumps(document).encode()
    for document in (
        PURCHASE,
        segment_order(),
        segment_order(),
        shopify_order(refunds=[shopify_refund()]),
        # Not used at all, for its second refund.
        shopify_order(id=5, refunds=[shopify_refund(), shopify_refund(id=None)]),
        woo_order(customer_id=0),
        {"type": "nothing"},
    )
]


def test_the_oracle_recomputes_what_the_engine_makes_of_documents(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    plain.write_bytes(b"\n".join(LINES[:3]) + b"\n")
    packed.write_bytes(gzip.compress(b"\n".join(LINES[3:])))
    config = NaiveConfig(("30d",), ("channel", "country"), "UTC", HOUR_MS)
    parameters = OracleParameters(
        windows=config.windows,
        dimensions=config.dimensions,
        timezone="UTC",
        bucket_ms=HOUR_MS,
        horizon_ms=4000 * DAY_MS,
        clock="event",
        now_ms=NOW_MS,
        as_of_ms=None,
    )
    with translated_files([plain, packed], load_settings({})) as files:
        assert all(file.is_file() for file in files)
        recomputed = recompute(files, parameters)
    assert not any(file.exists() for file in files)
    engine = ready_engine(engine_config(config))
    applied = engine.apply("purchases", 0, range(7), [None] * 7, LINES, NOW_MS)
    assert recomputed.outcomes["rejected"] == 2 == len(applied.dead_letters)
    assert engine.latest_event_ms is not None
    shown = gauges_of(engine, engine.latest_event_ms)
    expected = {
        (sample.name, frozenset(sample.labels.items())): float(sample.value)
        for sample in recomputed.samples
    }
    for name in ("retention_orders", "retention_units", "retention_revenue"):
        found = {gauge: value for gauge, value in expected.items() if gauge[0] == name and value}
        assert len(found) > 8
        assert found == {g: value for g, value in shown.items() if g[0] == name and value}
