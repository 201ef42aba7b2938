"""Dead letters as records, as lines of a file, and on their way back."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.settings import load_settings
from stream.tools.console import CommandError
from stream.tools.dead_letters.files import line_of, read_corrections, write_letters
from stream.tools.dead_letters.letters import Letter, letter_of, mark_of, marked_in
from stream.tools.dead_letters.report import counted, printable
from stream.tools.dead_letters.resending import Router

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = load_settings({})
EVENT = b'{"type": "purchase", "customer_id": "c-1", "amount": 12.10}'
LETTER = Letter(
    partition=3,
    offset=120,
    timestamp_ms=1_700_000_000_000,
    topic="purchases",
    topic_partition=3,
    topic_offset=77,
    reason="bad_amount",
    detail="amount: is negative",
    key=b"c-1",
    value=EVENT,
    headers=(("trace", b"t"),),
    resent_from=None,
)


@dataclass
class Record:
    partition: int = 3
    offset: int = 120
    timestamp: int = 1_700_000_000_000
    key: bytes | None = b"c-1"
    value: bytes | None = EVENT
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def headers(**changed: bytes) -> list[tuple[str, bytes]]:
    told = {
        "dl-reason": b"bad_amount",
        "dl-detail": b"amount: is negative",
        "dl-topic": b"purchases",
        "dl-partition": b"3",
        "dl-offset": b"77",
        **{f"dl-{name.replace('_', '-')}": value for name, value in changed.items()},
    }
    return [("trace", b"t"), *told.items()]


def test_a_letter_is_read_with_the_headers_its_event_had() -> None:
    assert letter_of(Record(headers=headers())) == LETTER


def test_a_letter_that_was_sent_again_names_the_one_before() -> None:
    letter = letter_of(Record(headers=headers(resent_from=b"retention-dead-letters-3-5")))
    assert letter is not None
    assert letter.resent_from == "retention-dead-letters-3-5"
    assert letter.headers == LETTER.headers


@pytest.mark.parametrize(
    "record",
    [
        Record(),
        Record(headers=headers()[:-1]),
        Record(headers=headers(offset=b"seven")),
        Record(headers=headers(reason=b"\xff")),
    ],
)
def test_other_records_are_no_letters(record: Record) -> None:
    assert letter_of(record) is None
    assert marked_in(record) == []


def test_the_same_event_at_the_same_place_is_the_same_letter() -> None:
    again = replace(LETTER, partition=1, offset=5, timestamp_ms=0)
    assert again.fingerprint == LETTER.fingerprint
    others = [
        replace(LETTER, topic="signups"),
        replace(LETTER, topic_partition=1),
        replace(LETTER, topic_offset=78),
        replace(LETTER, value=b"{}"),
    ]
    assert len({letter.fingerprint for letter in [LETTER, *others]}) == 5


def test_a_mark_names_what_it_marks() -> None:
    letters = [LETTER, replace(LETTER, topic_offset=78)]
    value, mark = mark_of(letters)
    record = Record(key=None, value=value, headers=mark)
    assert marked_in(record) == [letter.fingerprint for letter in letters]
    assert letter_of(record) is None


@pytest.mark.parametrize("value", [None, b"", b"{}", b'["xyz"]'])
def test_a_broken_mark_marks_nothing(value: bytes | None) -> None:
    _, mark = mark_of([LETTER])
    assert marked_in(Record(value=value, headers=mark)) == []


@given(value=st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_what_is_exported_and_not_changed_is_sent_as_it_was(value: bytes) -> None:
    letter = replace(LETTER, value=value)
    line = json.loads(line_of(letter))
    assert line["letter"] == "3-120"
    assert len({"event", "text", "base64"} & line.keys()) == 1


@pytest.mark.parametrize(
    "value",
    [
        EVENT,
        b'{\n  "amount": 1.10,\n  "amount": 1e400\n}',
        b"not json \n at all",
        b"\xff\xfe",
        b'"\xff"',
        b"",
        b"null",
        b"12345678901234567890123",
    ],
)
def test_the_bytes_of_an_event_survive_the_file(tmp_path: Path, value: bytes) -> None:
    letter = replace(LETTER, value=value)
    path = tmp_path / "letters"
    assert write_letters(path, [letter]) == 1

    outgoing = Router(SETTINGS, read_corrections(path)).route(letter)

    assert outgoing is not None
    assert outgoing.value == value
    assert outgoing.key == b"c-1"


def test_a_file_of_letters_is_for_its_owner_and_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "letters"
    write_letters(path, [LETTER])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="exists"):
        write_letters(path, [])
    assert path.read_bytes() == line_of(LETTER) + b"\n"


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ('{"letter": "1-1", "event": {}}\n{"event": {}}', "line 2 is not a line"),
        ('{"letter": "1-1", "event": {"a": }}', "line 1 is not a line"),
        ('\n{"letter": "1-1", "base64": "%"}', "line 2 is not a line"),
        ('{"letter": "1-1"}\n{"letter": "1-1", "event": {}}', ""),
        ('{"letter": "1-1", "event": 1}\n{"letter": "1-1", "event": 2}', "line 2: letter 1-1"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, lines: str, error: str) -> None:
    path = tmp_path / "letters"
    path.write_text(lines)
    if not error:
        assert read_corrections(path) == {"1-1": b"{}"}
        return
    with pytest.raises(CommandError, match=error):
        read_corrections(path)


def test_without_a_file_every_event_goes_back_as_it_was() -> None:
    outgoing = Router(SETTINGS).route(LETTER)
    assert outgoing is not None
    assert (outgoing.topic, outgoing.key, outgoing.value) == ("purchases", b"c-1", EVENT)


def test_with_a_file_only_its_letters_go_and_those_without_event_stay() -> None:
    assert Router(SETTINGS, {"0-0": b"{}"}).route(LETTER) is None
    assert Router(SETTINGS).route(replace(LETTER, value=None)) is None


def test_an_event_corrected_to_another_customer_is_keyed_by_it() -> None:
    fixed = b'{"type": "purchase", "customer_id": "c-2"}'
    outgoing = Router(SETTINGS, {"3-120": fixed}).route(LETTER)
    assert outgoing is not None
    assert (outgoing.key, outgoing.value) == (b"c-2", fixed)
    guest = Router(SETTINGS, {"3-120": b'{"type": "purchase"}'}).route(LETTER)
    assert guest is not None
    assert guest.key == b"c-1"


@pytest.mark.parametrize(
    ("kind", "topic"),
    [("purchase", "purchases"), ("signup", "signups"), ("cancellation", "returns")],
)
def test_nothing_but_the_worker_writes_to_the_topic_of_rerouted_events(
    kind: str, topic: str
) -> None:
    letter = replace(
        LETTER, topic=SETTINGS.topic_rerouted, value=json.dumps({"type": kind}).encode()
    )
    outgoing = Router(SETTINGS).route(letter)
    assert outgoing is not None
    assert outgoing.topic == topic


def test_what_steers_a_terminal_is_spelled_out() -> None:
    assert printable("a\x1b[2J\u202eb\tc\u00e9") == "a\\x1b[2J\\u202eb\\tc\u00e9"


def test_one_is_not_several() -> None:
    assert [counted(n, "event") for n in (0, 1, 2000)] == ["0 events", "1 event", "2,000 events"]
