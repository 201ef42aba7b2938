"""Partitions of keys against two Kafka clients."""

from __future__ import annotations

import pytest
from aiokafka import partitioner as aiokafka_partitioner
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import default as kafka_partitioner

from stream.wire.partitioning import home_partitions, partitions_of
from tests.support.kernels import NEEDS_KERNEL, installed


@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(1, 4096))
def test_keys_go_where_other_clients_send_them(keys: list[bytes], partitions: int) -> None:
    found = partitions_of(keys, partitions).tolist()
    for murmur2 in (aiokafka_partitioner.murmur2, kafka_partitioner.murmur2):
        assert found == [(murmur2(key) & 0x7FFFFFFF) % partitions for key in keys]


def test_keys_of_all_lengths_at_once_keep_their_places() -> None:
    keys = [bytes([length]) * length for length in (*range(70), *range(69, -1, -1))]
    found = partitions_of(keys, 64).tolist()
    assert found == found[::-1]
    assert found == [int(partitions_of([key], 64)[0]) for key in keys]
    assert len(set(found)) > 30


# Vectors of Kafka's own UtilsTest.testMurmur2.
@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_hashes_are_those_of_the_java_client(key: bytes, hashed: int) -> None:
    for partitions in (2, 3, 1000, 2**20 + 7):
        assert partitions_of([key], partitions).tolist() == [(hashed & 0x7FFFFFFF) % partitions]


@NEEDS_KERNEL
@given(st.lists(st.binary(max_size=40)), st.integers(min_value=1, max_value=1000))
def test_the_kernel_and_the_reference_send_keys_to_the_same_home(
    ids: list[bytes], partitions: int
) -> None:
    keys = [b"shop\0" + some for some in ids] + [b"\0\0" + some for some in ids]
    ours = home_partitions(keys, partitions, installed())
    assert ours.tolist() == home_partitions(keys, partitions, None).tolist()
