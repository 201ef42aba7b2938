from __future__ import annotations

import zlib
from dataclasses import make_dataclass

import msgspec
import pytest

from stream.domain.lookup import CustomerView, InWindow, Reason, Spent, Trade
from stream.domain.nets import NetBuckets
from stream.domain.reading import Scope
from stream.domain.segments import Segment
from stream.domain.totals import (
    Cohort,
    CohortKind,
    Counts,
    Gaps,
    Lifetime,
    LifetimeMoney,
    Money,
    Totals,
)
from stream.meeting import messages
from stream.meeting.messages import (
    CustomerAnswer,
    CustomerQuestion,
    Message,
    PastQuestion,
    PastShare,
    Present,
    Question,
    RollCall,
    Share,
    Standing,
    UnreadableMessageError,
    decode,
    encode,
    terms_of,
)
from stream.settings import load_settings

SEGMENT = Segment("shop", "channel", "über\n")
STANDING = Standing("w1", 7, frozenset({0, 3}), {("purchases", 0): 2**40, ("returns", 3): 0}, -5)
TOTALS = Totals(
    1_700_000_000_123,
    counts={(SEGMENT, "7d"): Counts(active=3, orders=2**40)},
    money={(SEGMENT, "7d", "EUR"): Money(10**15, 5, 2)},
    lifetimes={SEGMENT: Lifetime(9, 4, 2**50)},
    lifetime_money={
        (SEGMENT, "EUR"): LifetimeMoney(10**15, 5, 9, NetBuckets([0, 700], [2, 7], [-3, 10**15]))
    },
    cohorts={Cohort("shop", CohortKind.SIGNUP, 491): [9, 3, 0]},
    gaps={"shop": Gaps([0] * 12 + [1], 2**50)},
    stages={"shop": [1, 2, 3, 4, 5, 6]},
    first_order_slots={"shop": -17},
    mature_from_slots={"7d": 4},
)
CUSTOMER = CustomerView(
    as_of_ms=1,
    signup_ms=None,
    stage="at_risk",
    segments={"channel": "web"},
    money={"EUR": Spent(1, 10**15, 5)},
    orders=(Trade(1, 2**64 - 1, 10**15, "EUR", 2**32 - 1, cancelled=True),),
    orders_left_out=2,
    returns=(),
    returns_left_out=0,
    mean_interval_ms=2**40,
    median_interval_ms=None,
    windows=(InWindow("7d", -5, 0, 5, 1, 2, (Reason("retained", (-1, 1)),)),),
)


@pytest.mark.parametrize(
    "message",
    [
        RollCall("terms", "w1", 1, 0),
        Present("terms", 2**40, STANDING),
        Present("terms", 3, Standing("w2", 0, frozenset(), {}, None)),
        Question("terms", "w1", 4, 7, -1),
        Share("terms", 5, STANDING, TOTALS),
        PastQuestion("terms", "w1", 6, 7, (0, 2**41), Scope(frozenset({"7d"}), None, False)),
        PastShare("terms", 7, STANDING, [TOTALS, TOTALS]),
        CustomerQuestion("terms", "w1", 8, 7, 3, "shop", "ü/\n"),
        CustomerAnswer("terms", 8, STANDING, None),
        CustomerAnswer("terms", 8, STANDING, CUSTOMER),
    ],
)
def test_what_is_said_is_what_is_heard(message: Message) -> None:
    assert decode(encode(message)) == message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        zlib.compress(b""),
        zlib.compress(msgspec.msgpack.encode(["Other", 1])),
        zlib.compress(msgspec.msgpack.encode(["RollCall", "terms", "w1", "1", 0])),
        encode(Share("terms", 5, STANDING, TOTALS))[:-10],
    ],
)
def test_anything_else_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableMessageError):
        decode(data)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RETENTION_WINDOWS", "7d"),
        ("RETENTION_DIMENSIONS", "country"),
        ("RETENTION_TIMEZONE", "Asia/Tokyo"),
        ("RETENTION_BUCKET", "30m"),
        ("RETENTION_CLOCK", "event"),
        ("RETENTION_PARTITIONS", "4"),
        ("RETENTION_TOPIC_RETURNS", "refunds"),
    ],
)
def test_other_settings_are_other_terms(name: str, value: str) -> None:
    usual = terms_of(load_settings({}).engine_config())
    assert usual == terms_of(load_settings({}).engine_config())
    assert usual != terms_of(load_settings({name: value}).engine_config())


def test_other_fields_or_another_meaning_are_other_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_settings({}).engine_config()
    usual = terms_of(config)
    with monkeypatch.context() as patch:
        patch.setattr(messages, "VERSION", messages.VERSION + 1)
        assert terms_of(config) != usual
    with monkeypatch.context() as patch:
        patch.setattr(messages, "Message", make_dataclass("Message", [("more", int)]))
        assert terms_of(config) != usual
    assert terms_of(config) == usual
