"""Pseudonyms: what is kept holds no id, and everything else is as with ids."""

from __future__ import annotations

from hashlib import blake2b
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given

from stream.domain.config import EngineConfig
from stream.domain.events import Outcome, customer_key, guest_key
from stream.domain.pseudonyms import Pseudonyms
from stream.engine import Engine
from stream.faust_app.live_state import LiveState
from stream.meeting.messages import terms_of
from stream.settings import SettingError, load_settings
from stream.wire.customer_state import StateError
from tests.properties.histories import History, histories
from tests.support.engines import Log, encoded, engine_config, named_sums, ready_engine, run
from tests.support.naive import Event, NaiveConfig

if TYPE_CHECKING:
    from pathlib import Path

    from stream.faust_app.app import RetentionApp
    from stream.faust_app.meeting_side import MeetingSide

SECRET = "0123456789abcdef" * 2
OTHER = "fedcba9876543210" * 2
NOW_MS = 1_800_000_000_000
PURCHASE: Event = {
    "type": "purchase",
    "customer_id": "ann@example.org",
    "order_id": "order-4711",
    "occurred_at": 1_700_000_000,
    "amount": 1,
    "currency": "EUR",
}
GUEST: Event = {**PURCHASE, "customer_id": None, "order_id": "guest-4712"}
ERASURE: Event = {
    "type": "erasure",
    "customer_id": "ann@example.org",
    "occurred_at": 1_700_000_000,
}


def config(secret: str | None = SECRET, *, partitions: int = 1) -> EngineConfig:
    naive = engine_config(NaiveConfig(("30d",), (), "UTC", 3_600_000), partitions=partitions)
    return keyed(naive, secret)


def keyed(plain: EngineConfig, secret: str | None = SECRET) -> EngineConfig:
    names = EngineConfig.__dataclass_fields__
    values: dict[str, Any] = {name: getattr(plain, name) for name in names}
    pseudonyms = None if secret is None else Pseudonyms.under(secret)
    return EngineConfig(**(values | {"pseudonyms": pseudonyms}))


def sent(given: EngineConfig, *events: Event) -> Engine:
    log = Log(ready_engine(given))
    log.send(events)
    return log.engine


def changelog(engine: Engine) -> dict[bytes, bytes | None]:
    changes = engine.take_changes(0, NOW_MS)
    return dict(zip(changes.keys, changes.values, strict=True))


def restored(given: EngineConfig, records: dict[bytes, bytes | None]) -> Engine:
    engine = Engine(given)
    engine.assign(0)
    engine.restore(0, list(records), list(records.values()))
    engine.finish_restore(0)
    return engine


def test_a_pseudonym_is_a_keyed_hash_of_store_and_id() -> None:
    key = blake2b(SECRET.encode(), digest_size=64).digest()
    expected = blake2b(b"north\0ann", digest_size=16, key=key).hexdigest().encode()
    pseudonyms = Pseudonyms.under(SECRET)
    found = pseudonyms.key_of(customer_key("north", "ann"))
    assert found == b"north\0" + expected
    others = {
        pseudonyms.key_of(customer_key("south", "ann")),
        pseudonyms.key_of(customer_key("north", "bob")),
        pseudonyms.key_of(guest_key("north", "ann")),
        Pseudonyms.under(OTHER).key_of(customer_key("north", "ann")),
    }
    assert len({key.rpartition(b"\0")[2] for key in others | {found}}) == 5
    assert pseudonyms.key_of(guest_key("north", "ann")).startswith(b"north\0\0")


def test_nothing_that_is_kept_holds_an_id_and_lookups_go_by_it() -> None:
    engine = sent(config(), PURCHASE, GUEST)
    records = changelog(engine)
    assert len(records) == 4
    held = b"".join([*records, *filter(None, records.values())])
    assert b"ann" not in held
    assert b"4712" not in held
    for same in (engine, restored(config(), records)):
        view = same.customer("default", "ann@example.org", NOW_MS)
        assert view is not None
        assert len(view.orders) == 1
        assert same.customer("default", "bob@example.org", NOW_MS) is None
        # What stands in the changelog is no id.
        assert same.customer("default", same.kept_id("default", "ann@example.org"), NOW_MS) is None


@given(histories())
def test_every_sum_is_as_with_ids(history: History) -> None:
    plain = engine_config(history.config)
    assert named_sums(run(history.events, keyed(plain))) == named_sums(run(history.events, plain))


def test_strays_go_to_the_partition_of_the_real_id_under_the_real_id() -> None:
    engine = ready_engine(config(partitions=2))
    home = engine.home_of("ann@example.org")
    assert home == ready_engine(config(None, partitions=2)).home_of("ann@example.org")
    applied = engine.apply("purchases", 1 - home, [0], [None], [encoded(PURCHASE)], NOW_MS)
    (stray,) = applied.strays
    assert (stray.key, stray.partition) == (b"ann@example.org", home)
    rerouted = engine.config.rerouted_topic
    applied = engine.apply(rerouted, home, [0], [None], [encoded(PURCHASE)], NOW_MS)
    assert applied.outcomes[Outcome.APPLIED] == 1
    assert engine.customer("default", "ann@example.org", NOW_MS) is not None


def test_erased_customers_are_found_by_their_pseudonym() -> None:
    engine = sent(config(), PURCHASE, ERASURE)
    assert engine.customer("default", "ann@example.org", NOW_MS) is None
    assert engine.totals(1_700_000_000_000).gaps.keys() == {"default"}
    assert named_sums(engine) == named_sums(sent(config(), PURCHASE))


@pytest.mark.parametrize(
    ("written", "read"), [(SECRET, OTHER), (SECRET, None), (None, SECRET), (OTHER, SECRET)]
)
def test_state_under_another_key_is_refused(written: str | None, read: str | None) -> None:
    records = changelog(sent(config(written), PURCHASE))
    with pytest.raises(StateError, match="RETENTION_ID_KEY"):
        restored(config(read), records)
    assert restored(config(written), records).customers == 1


def test_workers_with_different_keys_do_not_add_up() -> None:
    terms = {terms_of(config(secret)) for secret in (SECRET, OTHER, None)}
    assert len(terms) == 3


async def test_no_real_id_is_asked_for_through_redis() -> None:
    asked: list[str] = []

    class Meeting:
        async def customer(self, _partition: int, _store: str, kept_id: str) -> object:
            asked.append(kept_id)
            return SimpleNamespace(customer=None)

    engine = sent(config(), PURCHASE)
    app = cast("RetentionApp", SimpleNamespace(engine=engine))
    state = LiveState(app, 1, cast("MeetingSide", Meeting()))
    await state.customer("default", "ann@example.org")
    assert asked == [engine.kept_id("default", "ann@example.org")]
    assert len(asked[0]) == 32
    assert engine.kept_customer(0, "default", asked[0], NOW_MS) is not None


def test_the_key_comes_from_the_environment_or_a_file_and_is_shown_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    given = load_settings({"RETENTION_ID_KEY": SECRET})
    assert given == load_settings({"RETENTION_ID_KEY_FILE": str(file)})
    assert given.engine_config().pseudonyms == Pseudonyms.under(SECRET)
    key = blake2b(SECRET.encode(), digest_size=64).digest()
    for shown in (repr(given), repr(given.engine_config())):
        assert SECRET not in shown
        assert repr(key) not in shown
    with pytest.raises(SettingError, match=r"^RETENTION_ID_KEY: needs 32 characters") as refused:
        load_settings({"RETENTION_ID_KEY": SECRET[:-1]})
    assert SECRET[:-1] not in str(refused.value)
