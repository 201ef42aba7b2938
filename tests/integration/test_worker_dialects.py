"""A worker given events in other forms, as a shop's platform would send them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stream.tools.event_address import Addresses
from stream.tools.produce import produce_lines
from tests.integration.stream_harness import Record, Stream, partition_of
from tests.integration.worker_harness import Worker
from tests.support.dialect_documents import (
    segment,
    segment_order,
    shopify_order,
    shopify_refund,
    woo_order,
)

SHOP = ("X-Shopify-Shop-Domain", b"north.example")
BUYER = "115310627314723954"


def test_shop_documents_count_with_their_headers_wherever_they_were_put(
    broker_address: str, tmp_path: Path
) -> None:
    stream = Stream(broker_address, RETENTION_DIALECT_NOT_USED="ignore")
    topics = stream.settings
    lines = [segment_order(), segment("Product Viewed"), woo_order(customer_id=0)]
    addresses = Addresses()
    produce_lines(
        topics.kafka, [json.dumps(line).encode() for line in lines], topics.source_topics, addresses
    )
    order: dict[str, Any] = shopify_order(refunds=[shopify_refund()])
    value = json.dumps(order).encode()
    wrong = (partition_of(BUYER) + 1) % topics.partitions
    headers = [("X-Shopify-Topic", b"orders/updated"), SHOP]
    stream.send_raw(topics.topic_purchases, [Record(wrong, b"any-key", value, headers)])
    with Worker(stream.environ, tmp_path) as worker:
        # Four records, and one of them once more where it belongs.
        worker.wait_until_ready().wait_for_events(5)
        assert worker.outcomes() == {
            (topics.topic_purchases, "applied"): 1,
            (topics.topic_purchases, "rejected"): 1,
            (topics.topic_purchases, "guest"): 1,
            (topics.topic_purchases, "rerouted"): 1,
            (topics.topic_rerouted, "applied"): 1,
        }
        whole = {"dimension": "all", "segment": "all", "window": "30d"}
        north = {**whole, "store": "north.example"}
        assert worker.gauge("retention_orders", **north) == 1
        assert worker.gauge("retention_units", **north, kind="returned") == 2
        assert worker.gauge("retention_orders", **whole, store="default") == 1
        assert worker.gauge("retention_orders", **whole, store="shop.example.com") == 1
