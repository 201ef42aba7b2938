from __future__ import annotations

import gc
import gzip
import io
import json
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.tools.console import CommandError, byte_progress
from stream.tools.event_address import Addresses
from stream.tools.event_files import EventFile, disordered
from stream.tools.produce import Produced, _garbage_collection_paused
from tests.support.dialect_documents import segment, woo_order

if TYPE_CHECKING:
    from pathlib import Path

PURCHASES, SIGNUPS, RETURNS = range(3)
address = Addresses().of


def lines_of(path: Path) -> list[bytes]:
    return list(EventFile(str(path)).lines(byte_progress()))


@pytest.mark.parametrize(
    ("kind", "topic"),
    [
        ("purchase", PURCHASES),
        ("signup", SIGNUPS),
        ("return", RETURNS),
        ("cancellation", RETURNS),
    ],
)
def test_event_goes_to_the_topic_of_its_type_keyed_by_customer(kind: str, topic: int) -> None:
    line = json.dumps({"store": "s", "type": kind, "customer_id": "Zoë", "more": [1]}).encode()
    assert address(line) == (topic, "Zoë".encode())


@pytest.mark.parametrize("customer", ["", ',"customer_id":null'])
def test_guest_order_is_keyed_by_its_own_id(customer: str) -> None:
    assert address(f'{{"type":"purchase"{customer}}}'.encode()) == (PURCHASES, None)
    line = f'{{"type":"purchase","order_id":17{customer}}}'.encode()
    assert address(line) == (PURCHASES, b"17")


def test_document_in_another_form_goes_where_its_first_event_belongs() -> None:
    def sent(document: object, addresses: Addresses) -> tuple[int, bytes | None]:
        return addresses.of(json.dumps(document).encode())

    plain = Addresses()
    assert sent(segment("Signed Up"), plain) == (SIGNUPS, b"u-17")
    assert sent(segment("Order Refunded", order_id="o"), plain) == (RETURNS, b"u-17")
    assert sent(woo_order(refunds=[{"id": 1, "total": "-5.00"}]), plain) == (PURCHASES, b"26")
    assert sent(woo_order(customer_id=0), plain) == (PURCHASES, b"727")
    assert sent(segment("Joined"), plain) == (PURCHASES, None)
    assert sent(segment("Joined"), Addresses((("joined", "signup"),))) == (SIGNUPS, b"u-17")


def test_unknown_type_goes_to_purchases_with_its_key() -> None:
    assert address(b'{"type":"unheard-of","customer_id":"c"}') == (PURCHASES, b"c")


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b'{"type":"signup"',
        b"[1]",
        b'{"type":7}',
        b'{"type":"signup","customer_id":7}',
        b'{"type":"signup","customer_id":"\\ud800"}',
        b'{"type":"signup","customer_id":"\xff"}',
        b"\x00\xff",
    ],
)
def test_unreadable_line_goes_to_purchases_without_a_key(line: bytes) -> None:
    assert address(line) == (PURCHASES, None)


@given(st.binary())
def test_every_line_has_an_address(line: bytes) -> None:
    topic, key = address(line)
    assert topic in {PURCHASES, SIGNUPS, RETURNS}
    assert key is None or key.decode()


@given(
    st.lists(st.binary(max_size=3)),
    st.booleans(),
    st.floats(0, 1),
    st.integers(),
)
def test_disorder_keeps_every_line_and_repeats_the_share_asked_for(
    lines: list[bytes],
    shuffle: bool,  # noqa: FBT001 - drawn by position
    repeat_share: float,
    seed: int,
) -> None:
    sent = list(disordered(lines, shuffle=shuffle, repeat_share=repeat_share, seed=seed))
    assert len(sent) == len(lines) + round(len(lines) * repeat_share)
    extra = Counter(sent) - Counter(lines)
    assert extra <= Counter(lines)
    assert Counter(sent) == Counter(lines) + extra
    assert sent == list(disordered(lines, shuffle=shuffle, repeat_share=repeat_share, seed=seed))
    if not shuffle:
        assert sent[: len(lines)] == lines


def test_shuffle_changes_the_order_and_another_seed_changes_it_otherwise() -> None:
    lines = [b"%d" % number for number in range(100)]
    one, other = (
        list(disordered(lines, shuffle=True, repeat_share=0, seed=seed)) for seed in (1, 2)
    )
    assert one != lines
    assert one != other


def test_file_gives_its_lines_as_they_are_without_ends_and_blank_ones(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"a":1} \r\n\n  \n not json\n\xff\x00\n{"last":true}')
    assert lines_of(path) == [b'{"a":1} ', b" not json", b"\xff\x00", b'{"last":true}']


def test_gzipped_file_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(b"1\n2\n"))
    assert lines_of(path) == [b"1", b"2"]


@pytest.mark.parametrize("damage", [b"plain text\n", gzip.compress(b"1\n" * 9999)[:-20]])
def test_damaged_gzip_is_told_by_name(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(damage)
    with pytest.raises(CommandError, match=r"events\.jsonl\.gz is damaged"):
        lines_of(path)


def test_stdin_gives_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"1\n2\n")))
    assert list(EventFile("-").lines(byte_progress())) == [b"1", b"2"]


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"type":"purchase"}\n' * 5_000)
    progress = byte_progress()
    assert sum(1 for _ in EventFile(str(path)).lines(progress)) == 5_000
    (task,) = progress.tasks
    assert (task.completed, task.total) == (100_000, 100_000)


def test_what_was_sent_is_told_in_total_by_topic_and_as_a_rate() -> None:
    produced = Produced({"purchases": 1_500, "returns": 500}, seconds=0.5)
    assert str(produced) == "sent 2,000 events in 0.5 s (4,000/s): purchases 1,500, returns 500"


def test_nothing_sent_is_told_too() -> None:
    assert str(Produced({}, seconds=0.0)) == "sent 0 events in 0.0 s (0/s): -"


def test_garbage_collection_goes_on_after_sending_failed() -> None:
    def fail() -> None:
        with _garbage_collection_paused():
            assert not gc.isenabled()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert gc.isenabled()
