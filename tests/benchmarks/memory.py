"""Memory of many customers with three orders each, in a process of its own."""

from __future__ import annotations

import gc
import sys

import psutil

from stream.engine import Engine
from stream.faust_app.memory import tune_memory
from stream.settings import load_settings
from stream.wire.partitioning import partitions_of

ORDERS = 3
#: The clock of the worker; after every order.
NOW_MS = 1_800_000_000_000
_BLOCK = 40_000
_SPREAD_SECONDS = 80 * 86_400
_ROUND_SECONDS = 40 * 86_400
_CHANNELS = ("web", "app", "store", "marketplace", "phone", "partner")
_COUNTRIES = ("GB", "DE", "FR", "ES", "IT", "NL", "US", "SE", "PL", "AT")


class Crowd:
    """So many customers, in an engine with all its tallies.

    Args:
        customers: how many.
        partitions: of the engine.
        stores: among which the customers are shared.
    """

    def __init__(self, customers: int, partitions: int = 8, stores: int = 1) -> None:
        environ = {"RETENTION_CLOCK": "event", "RETENTION_PARTITIONS": str(partitions)}
        self.config = load_settings(environ).engine_config()
        self.engine = self.new_engine()
        for partition in range(partitions):
            self.engine.finish_restore(partition)
        self._customers = customers
        self._stores = stores
        self._offsets = [0] * partitions

    def new_engine(self) -> Engine:
        """One that owns every partition and has restored none."""
        engine = Engine(self.config)
        for partition in range(self.config.partitions):
            engine.assign(partition)
        return engine

    def order(self, number: int, first: int = 0, last: int | None = None) -> None:
        """Each of these customers places an order, the first, the second or so on."""
        last = self._customers if last is None else last
        for start in range(first, last, _BLOCK):
            self._send(range(start, min(start + _BLOCK, last)), number)

    def _send(self, block: range, order: int) -> None:
        keys = [b"c%07d" % number for number in block]
        homes = partitions_of(keys, len(self._offsets)).tolist()
        values: list[list[bytes]] = [[] for _ in self._offsets]
        for number, home in zip(block, homes, strict=True):
            values[home].append(self._purchase(number, order))
        for partition, some in enumerate(values):
            first = self._offsets[partition]
            offsets = range(first, first + len(some))
            self._offsets[partition] += len(some)
            self.engine.apply("purchases", partition, offsets, [None] * len(some), some, NOW_MS)

    def _purchase(self, number: int, order: int) -> bytes:
        spread = number * _SPREAD_SECONDS // self._customers
        time = 1_700_000_000 + order * _ROUND_SECONDS + spread
        return (
            b'{"type":"purchase","customer_id":"c%07d","order_id":"o%d-%07d","occurred_at":%d,'
            b'"amount":"%d.%02d","currency":"EUR","units":%d,"store":"store-%d",'
            b'"attributes":{"channel":"%s","country":"%s"}}'
        ) % (
            number,
            order,
            number,
            time,
            number % 200,
            number % 100,
            1 + number % 3,
            number % self._stores,
            _CHANNELS[number % len(_CHANNELS)].encode(),
            _COUNTRIES[number % len(_COUNTRIES)].encode(),
        )


def bytes_per_customer(customers: int) -> float:
    """Resident memory that the engine with all its tallies takes, per customer."""
    tune_memory()
    crowd = Crowd(customers)
    process = psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    for order in range(ORDERS):
        crowd.order(order)
    gc.collect()
    return float(process.memory_info().rss - before) / customers


if __name__ == "__main__":
    print(bytes_per_customer(int(sys.argv[1])))
