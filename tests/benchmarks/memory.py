"""Memory of many customers with three orders each, in a process of its own."""

from __future__ import annotations

import gc
import sys

import psutil

from stream.engine import Engine
from stream.faust_app.memory import tune_memory
from stream.settings import load_settings
from stream.wire.partitioning import partitions_of

#: Of every customer.
ORDERS = 3
_BLOCK = 40_000
_SPREAD_SECONDS = 80 * 86_400
_ROUND_SECONDS = 40 * 86_400
_NOW_MS = 1_800_000_000_000
_CHANNELS = ("web", "app", "store", "marketplace", "phone", "partner")
_COUNTRIES = ("GB", "DE", "FR", "ES", "IT", "NL", "US", "SE", "PL", "AT")


def bytes_per_customer(customers: int) -> float:
    """Resident memory that the engine with all its tallies takes, per customer."""
    tune_memory()
    engine = Engine(load_settings({"RETENTION_CLOCK": "event"}).engine_config())
    for partition in range(engine.config.partitions):
        engine.assign(partition)
        engine.finish_restore(partition)
    process = psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    offsets = [0] * engine.config.partitions
    for order in range(ORDERS):
        order_once(engine, offsets, order, customers)
    gc.collect()
    return float(process.memory_info().rss - before) / customers


def order_once(engine: Engine, offsets: list[int], order: int, customers: int) -> None:
    """One more order of every customer; ``offsets`` are the next ones of the partitions."""
    for first in range(0, customers, _BLOCK):
        _send(engine, offsets, range(first, min(first + _BLOCK, customers)), order, customers)


def _send(engine: Engine, offsets: list[int], block: range, order: int, customers: int) -> None:
    homes = partitions_of([b"c%07d" % number for number in block], len(offsets)).tolist()
    for partition in range(len(offsets)):
        values = [
            _purchase(number, order, customers)
            for number, home in zip(block, homes, strict=True)
            if home == partition
        ]
        first = offsets[partition]
        offsets[partition] += len(values)
        engine.apply(
            engine.config.topics[0],
            partition,
            range(first, first + len(values)),
            [None] * len(values),
            values,
            _NOW_MS,
        )


def _purchase(number: int, order: int, customers: int) -> bytes:
    time = 1_700_000_000 + order * _ROUND_SECONDS + number * _SPREAD_SECONDS // customers
    return (
        b'{"type":"purchase","customer_id":"c%07d","order_id":"o%d-%07d","occurred_at":%d,'
        b'"amount":"%d.%02d","currency":"EUR","units":%d,'
        b'"attributes":{"channel":"%s","country":"%s"}}'
    ) % (
        number,
        order,
        number,
        time,
        number % 200,
        number % 100,
        1 + number % 3,
        _CHANNELS[number % len(_CHANNELS)].encode(),
        _COUNTRIES[number % len(_COUNTRIES)].encode(),
    )


if __name__ == "__main__":
    print(bytes_per_customer(int(sys.argv[1])))
