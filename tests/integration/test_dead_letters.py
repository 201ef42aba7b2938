"""Dead letters from the first look to their second chance, over each broker in turn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from stream.cli import run_command
from tests.integration.stream_harness import PARTITIONS, Record, Stream, partition_of, purchases
from tests.integration.worker_harness import Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stream.settings import Settings
    from tests.support.kafka_server import KafkaServer

NOW = 1_700_000_000

#: Events as they should have been, each with what is wrong in the one that is sent.
REPAIRS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        {
            "type": "purchase",
            "customer_id": "customer-1",
            "occurred_at": NOW,
            "order_id": "repaired-1",
            "amount": "12.50",
            "currency": "EUR",
            "attributes": {"channel": "web"},
        },
        {"amount": "12,50"},
        "bad_amount",
    ),
    (
        {
            "type": "purchase",
            "customer_id": "newcomer",
            "occurred_at": NOW + 50_000,
            "order_id": "repaired-2",
            "amount": "3.10",
            "currency": "EUR",
        },
        {"customer_id": 17},
        "bad_customer_id",
    ),
    (
        {"type": "signup", "customer_id": "customer-2", "occurred_at": NOW},
        {"occurred_at": "yesterday"},
        "bad_occurred_at",
    ),
    (
        {
            "type": "return",
            "customer_id": "customer-3",
            "occurred_at": NOW + 600_000,
            "return_id": "r-1",
            "amount": "5.00",
            "currency": "EUR",
        },
        {"currency": "euro"},
        "bad_currency",
    ),
    (
        {
            "type": "cancellation",
            "customer_id": "customer-4",
            "occurred_at": NOW,
            "order_id": "order-4",
        },
        {"order_id": None},
        "missing_field",
    ),
]


@pytest.fixture
def dead_letters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs ``dead-letters`` for a stream: exit code, and what it printed."""

    def call(stream: Stream, *words: str) -> tuple[int, str]:
        for name, value in stream.environ.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = run_command(["dead-letters", *words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


def topic_of(settings: Settings, event: dict[str, Any]) -> str:
    topics = {
        "purchase": settings.topic_purchases,
        "signup": settings.topic_signups,
        "return": settings.topic_returns,
        "cancellation": settings.topic_returns,
    }
    return topics[event["type"]]


def send_broken(stream: Stream) -> None:
    for event, error, _ in REPAIRS:
        record = Record(
            partition_of(event["customer_id"]),
            event["customer_id"].encode(),
            json.dumps({**event, **error}).encode(),
            [("trace", b"t-1")],
        )
        stream.send_raw(topic_of(stream.settings, event), [record])
    stream.send_raw(
        stream.settings.topic_purchases, [Record(0, b"customer-5", b"no \x1b[31m json", [])]
    )


def everything_in(stream: Stream, topic: str) -> list[Any]:
    consumer = KafkaConsumer(
        bootstrap_servers=stream.settings.broker,
        auto_offset_reset="earliest",
        consumer_timeout_ms=2_000,
    )
    try:
        consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
        return list(consumer)
    finally:
        consumer.close()


def corrected(exported: Path) -> int:
    """Correct all events in an exported file that were meant as JSON; how many."""
    right = {reason: event for event, _, reason in REPAIRS}
    lines = [json.loads(line) for line in exported.read_text().splitlines()]
    kept = [{**line, "event": right[line["reason"]]} for line in lines if "event" in line]
    exported.write_text("".join(json.dumps(line) + "\n" for line in kept))
    return len(kept)


def test_corrected_events_count_once_however_often_they_are_sent_again(
    broker_address: str,
    tmp_path: Path,
    dead_letters: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = Stream(broker_address)
    orders = purchases(120)
    stream.send(stream.settings.topic_purchases, orders)
    send_broken(stream)
    events = tmp_path / "events.jsonl"
    whole = [*orders, *(event for event, _, _ in REPAIRS)]
    events.write_text("".join(json.dumps(event) + "\n" for event in whole))
    exported = tmp_path / "letters.jsonl"

    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(126).wait_until_committed()

        code, listed = dead_letters(stream)
        assert code == 0
        for _, _, reason in REPAIRS:
            assert reason in listed
        assert "customer-1" not in listed

        assert dead_letters(stream, "export", str(exported))[0] == 0
        assert corrected(exported) == len(REPAIRS)
        code, said = dead_letters(stream, "resend", "--from", str(exported), "--yes")
        assert code == 0
        assert "sent 5 events again" in said

        worker.wait_for_events(131).wait_until_committed()
        after = worker.business()
        # The independent recount of the events as they should have been, all of them.
        monkeypatch.setenv("RETENTION_WEB_PORT", str(worker.port))
        assert run_command(["verify", str(events), "--wait", "20"]) == 0

        for again in (["--from", str(exported)], []):
            code, said = dead_letters(stream, "resend", "--yes", *again)
            assert code == 0
        # The one letter that was not corrected was sent as it is, and came back.
        assert "sent 1 event again" in said
        worker.wait_for_events(132).wait_until_committed()
        assert worker.business() == after
        assert {outcome for _, outcome in worker.outcomes()} == {"applied", "rejected"}


def test_letters_go_where_they_came_from_with_all_they_had(
    broker_address: str, tmp_path: Path, dead_letters: Callable[..., tuple[int, str]]
) -> None:
    # What was too late becomes usable when the horizon is made longer.
    stream = Stream(broker_address, RETENTION_HORIZON="60d")
    late = purchases(4, first=0)
    recent = [
        {**event, "occurred_at": NOW + 200 * 86_400, "order_id": f"recent-{n}"}
        for n, event in enumerate(purchases(80))
    ]
    topic = stream.settings.topic_purchases
    stream.send(topic, recent)
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(80)
        records = [
            Record(
                partition_of(event["customer_id"]),
                event["customer_id"].encode(),
                json.dumps(event).encode(),
                [("trace", b"t-1")],
            )
            for event in late
        ]
        stream.send_raw(topic, records)
        worker.wait_for_events(84).wait_until_committed()
        assert worker.outcomes()[topic, "too_late"] == 4
        assert worker.terminate() == 0

    code, said = dead_letters(stream, "resend", "--dry-run")
    assert (code, topic in said, "sent" in said) == (0, True, False)
    code, said = dead_letters(stream, "resend", "--reason", "too_late", "--yes")
    assert (code, "sent 4 events again" in said) == (0, True)

    found = [r for r in everything_in(stream, topic) if dict(r.headers).get("dl-resent-from")]
    assert sorted((r.partition, r.key, r.value) for r in found) == sorted(r[:3] for r in records)
    for record in found:
        assert [name for name, _ in record.headers] == ["trace", "dl-resent-from"]
    with Worker({**stream.environ, "RETENTION_HORIZON": "800d"}, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(4)
        assert worker.outcomes() == {(topic, "applied"): 4}


def test_one_letter_is_shown_whole_and_cannot_steer_the_terminal(
    broker_address: str, tmp_path: Path, dead_letters: Callable[..., tuple[int, str]]
) -> None:
    stream = Stream(broker_address)
    assert "no dead letters" in dead_letters(stream)[1]
    send_broken(stream)
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(6).wait_until_committed()
        assert worker.terminate() == 0

    code, shown = dead_letters(stream, "show", "--reason", "bad_amount")
    assert code == 0
    for part in ("bad_amount", "customer-1", '"amount": "12,50"', "header trace", "t-1"):
        assert part in shown
    assert "customer-2" not in shown

    code, shown = dead_letters(stream, "show", f"{stream.settings.topic_purchases}-0-0")
    assert code == 0
    assert "offset 0" in shown

    shown = dead_letters(stream, "show", "--reason", "not_json")[1]
    assert "\\x1b[31m" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["show", "nonsense"], "PARTITION-OFFSET"),
        (["show", "2-99"], "no such letter"),
        (["export", "{exists}"], "exists"),
        (["export", "{new}", "--reason", "bad_weather"], "the reasons are: bad_amount"),
        (["resend"], "--yes"),
        (["resend", "--from", "{exists}", "--yes"], "line 1 is not a line of an exported file"),
        (["resend", "--from", "{new}"], "No such file"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    words: list[str],
    error: str,
    broker_address: str,
    tmp_path: Path,
    dead_letters: Callable[..., tuple[int, str]],
) -> None:
    stream = Stream(broker_address)
    letter_headers = [
        ("dl-reason", b"bad_amount"),
        ("dl-detail", b"amount: is negative"),
        ("dl-topic", stream.settings.topic_purchases.encode()),
        ("dl-partition", b"0"),
        ("dl-offset", b"7"),
    ]
    stream.send_raw(stream.settings.topic_dead_letters, [Record(0, b"c", b"{}", letter_headers)])
    exists, new = tmp_path / "exists", tmp_path / "new"
    exists.write_text("something\n")

    code, said = dead_letters(stream, *(word.format(exists=exists, new=new) for word in words))

    assert code == 1
    assert error in said.splitlines()[-1]
    assert exists.read_text() == "something\n"
    assert everything_in(stream, stream.settings.topic_purchases) == []


@pytest.mark.kafka
def test_letters_of_aborted_and_open_transactions_are_not_there(
    kafka_server: KafkaServer, dead_letters: Callable[..., tuple[int, str]]
) -> None:
    stream = Stream(kafka_server.address)
    topic = stream.settings.topic_dead_letters
    producer = KafkaProducer(
        bootstrap_servers=kafka_server.address, transactional_id=stream.settings.app_id
    )

    def write(reason: bytes) -> None:
        producer.send(
            topic,
            value=reason,
            partition=0,
            headers=[
                ("dl-reason", reason),
                ("dl-detail", b""),
                ("dl-topic", b"purchases"),
                ("dl-partition", b"0"),
                ("dl-offset", b"7"),
            ],
        )
        producer.flush()

    try:
        producer.init_transactions()
        for reason, ends in (
            (b"aborted", producer.abort_transaction),
            (b"committed", producer.commit_transaction),
            (b"open", None),
        ):
            producer.begin_transaction()
            write(reason)
            if ends is not None:
                ends()
        code, listed = dead_letters(stream)
        producer.abort_transaction()
    finally:
        producer.close()
    assert code == 0
    assert "committed" in listed
    assert "aborted" not in listed
    assert "open" not in listed
