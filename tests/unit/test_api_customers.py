"""One customer over HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any, NoReturn, cast

import aiohttp
import pytest
import xxhash
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from stream.domain import lookup
from stream.publish.api.customers import major_text
from stream.publish.http import build_app, start_http
from stream.settings import Secret
from tests.support.worker import NOW_MS, PARTITION, Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

    Client = TestClient[web.Request, web.Application]

DAY_MS = 86_400_000
SOMEBODY = "ann@example.org"


@pytest.fixture
def worker() -> Worker:
    worker = Worker()
    worker.restore()
    return worker


@pytest.fixture
async def client(worker: Worker) -> AsyncIterator[Client]:
    async with TestClient(TestServer(build_app(worker))) as client:
        yield client


def buy(worker: Worker, customer_id: str, *days_ago: float, **fields: object) -> None:
    for days in days_ago:
        at = (NOW_MS - round(days * DAY_MS)) / 1000
        worker.purchase(customer_id, f"o-{days}", occurred_at=at, **fields)


def send(worker: Worker, **event: object) -> None:
    """Any other event, on the topic of purchases."""
    value = json.dumps(event).encode()
    worker.engine.apply("purchases", PARTITION, [worker.next_offset], [None], [value], NOW_MS)
    worker.next_offset += 1


async def get(client: Client, path: str) -> tuple[int, dict[str, Any]]:
    url = URL(f"/api/v1/customers/{path}", encoded=True)
    async with client.get(url) as response:
        return response.status, cast("dict[str, Any]", await response.json())


async def found(client: Client, path: str) -> dict[str, Any]:
    status, answer = await get(client, path)
    assert status == 200
    return answer


async def test_a_customer_with_all_there_is(client: Client, worker: Worker) -> None:
    buy(worker, "ann", 40, attributes={"channel": "web"})
    buy(worker, "ann", 10, 3, 1, amount="20.00", units=3)
    buy(worker, "ann", 2, currency="JPY", amount="1500")
    common = {"customer_id": "ann", "occurred_at": (NOW_MS - DAY_MS) / 1000}
    send(worker, type="cancellation", order_id="o-1", **common)
    send(worker, type="cancellation", order_id="never placed", **common)
    send(worker, type="return", return_id="r-1", amount="25.50", currency="EUR", **common)
    send(worker, type="signup", customer_id="ann", occurred_at=1_600_000_000)
    send(worker, type="signup", customer_id="ann", occurred_at=1_500_000_000)

    answer = await found(client, "default/ann")

    orders = answer.pop("orders")
    returns = answer.pop("returns")
    windows = answer.pop("windows")
    assert answer == {
        "as_of": "2023-11-14T22:13:20.000Z",
        "store": "default",
        "customer_id": "ann",
        "signup": None,
        "stage": "repeat",
        "segments": {"channel": "web"},
        "money": {
            "EUR": {"orders": 3, "gross": "49.99", "refunded": "25.50", "net": "24.49"},
            "JPY": {"orders": 1, "gross": "1500", "refunded": "0", "net": "1500"},
        },
        "intervals": {"mean_seconds": 38 / 3 * 86_400, "median_seconds": 7 * 86_400},
        "outlook": None,
        "orders_left_out": 0,
        "returns_left_out": 0,
    } | {"signup": answer["signup"]}
    assert [(each["amount"], each["units"], each["cancelled"]) for each in orders] == [
        ("9.99", 1, False),
        ("20.00", 3, False),
        ("20.00", 3, False),
        ("1500", 1, False),
        ("20.00", 3, True),
    ]
    assert orders[1]["order_id_xxh3"] == xxhash.xxh3_64_hexdigest(b"o-10")
    assert returns == [
        {
            "return_id_xxh3": xxhash.xxh3_64_hexdigest(b"r-1"),
            "time": "2023-11-13T22:13:20.000Z",
            "amount": "25.50",
            "currency": "EUR",
            "units": 1,
        }
    ]
    assert [window["window"] for window in windows] == ["7d", "month"]
    assert windows[0] == {
        "window": "7d",
        "preceding_from": "2023-10-31T23:00:00.000Z",
        "from": "2023-11-07T23:00:00.000Z",
        "to": "2023-11-14T23:00:00.000Z",
        "preceding_orders": 1,
        "orders": 2,
        "statuses": [
            {"status": "active", "because_of_orders": ["2023-11-12T22:13:20.000Z"]},
            {
                "status": "retained",
                "because_of_orders": ["2023-11-04T22:13:20.000Z", "2023-11-11T22:13:20.000Z"],
            },
            {
                "status": "repeat",
                "because_of_orders": ["2023-11-11T22:13:20.000Z", "2023-11-12T22:13:20.000Z"],
            },
            {"status": "start", "because_of_orders": ["2023-11-04T22:13:20.000Z"]},
        ],
    }


@pytest.mark.parametrize(
    ("days_ago", "statuses"),
    [
        ((1,), {"active", "new"}),
        ((1, 2), {"active", "new", "repeat"}),
        ((1, 8), {"active", "retained", "start"}),
        ((1, 30), {"active", "reactivated"}),
        ((8,), {"start", "lost"}),
        ((30,), set()),
    ],
)
async def test_why_a_customer_counts(
    client: Client, worker: Worker, days_ago: tuple[int, ...], statuses: set[str]
) -> None:
    buy(worker, "ann", *days_ago)

    week, _ = (await found(client, "default/ann"))["windows"]

    assert {each["status"] for each in week["statuses"]} == statuses


async def test_one_that_only_signed_up(client: Client, worker: Worker) -> None:
    send(worker, type="signup", customer_id="ann", occurred_at=(NOW_MS - 5) / 1000)

    answer = await found(client, "default/ann")

    assert answer["signup"] == "2023-11-14T22:13:19.995Z"
    assert answer["segments"] == {"channel": "unknown"}
    assert answer["intervals"] == {"mean_seconds": None, "median_seconds": None}
    assert (answer["orders"], answer["money"]) == ([], {})


@pytest.mark.parametrize("customer_id", ["a/b", "ü ✓", "a%2Fb", "..", "?x=1", "1", "x" * 256])
async def test_any_id_an_event_may_carry(client: Client, worker: Worker, customer_id: str) -> None:
    buy(worker, customer_id, 1, store="store/1")
    path = "".join(f"%{byte:02X}" for byte in customer_id.encode())

    answer = await found(client, f"store%2F1/{path}")

    assert (answer["store"], answer["customer_id"]) == ("store/1", customer_id)


@pytest.mark.parametrize("path", ["default/bob", "north/ann", "default/ann%20"])
async def test_an_unknown_customer_is_not_found(client: Client, worker: Worker, path: str) -> None:
    buy(worker, "ann", 1)

    assert await get(client, path) == (404, {"error": "no event of this customer is known"})


async def test_a_guests_order_is_no_customer(client: Client, worker: Worker) -> None:
    send(
        worker, type="purchase", order_id="g-1", amount="1", currency="EUR",
        occurred_at=NOW_MS / 1000,
    )  # fmt: skip

    assert (await get(client, "default/g-1"))[0] == 404
    assert (await get(client, "default/%00g-1"))[0] == 400


@pytest.mark.parametrize(
    "path", ["default/a%00b", f"default/{'x' * 257}", f"{'s' * 129}/ann", "a%00/ann"]
)
async def test_an_id_no_event_could_carry_is_refused_and_not_repeated(
    client: Client, path: str
) -> None:
    status, answer = await get(client, path)

    assert status == 400
    assert answer["error"] in (
        "a store has 1 to 128 characters and no NUL",
        "a customer id has 1 to 256 characters and no NUL",
    )


async def test_parameters_mean_nothing_here(client: Client, worker: Worker) -> None:
    buy(worker, "ann", 1)

    assert (await get(client, "default/ann?window=7d"))[0] == 400


async def test_it_says_why_it_cannot_tell(client: Client, worker: Worker) -> None:
    worker.ready = False

    assert await get(client, "default/ann") == (503, {"error": "partition 0 is not restored yet"})


async def test_only_the_latest_orders_are_listed(
    client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "MOST_LISTED", 3)
    buy(worker, "ann", 5, 4, 3, 2, 1)

    answer = await found(client, "default/ann")

    assert [each["time"][:10] for each in answer["orders"]] == [
        "2023-11-11",
        "2023-11-12",
        "2023-11-13",
    ]
    assert answer["orders_left_out"] == 2
    assert answer["money"]["EUR"]["orders"] == 5


async def test_the_token_is_asked_for(worker: Worker) -> None:
    token = Secret("a-token-of-enough-characters")
    async with (
        TestClient(TestServer(build_app(worker, token))) as client,
        client.get("/api/v1/customers/default/ann") as response,
    ):
        assert response.status == 401


async def test_no_request_brings_an_id_into_the_log(
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    buy(worker, SOMEBODY, 1)

    def broken(_store: str, customer_id: str, _as_of_ms: int) -> NoReturn:
        raise KeyError(customer_id)

    runner = await start_http("127.0.0.1", 0, worker)
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for path in ("", "%00", "?twice=1", "/more", "x" * 250):
            async with session.get(f"/api/v1/customers/default/{SOMEBODY}{path}"):
                pass
        monkeypatch.setattr(worker.engine, "customer", broken)
        async with session.get(f"/api/v1/customers/default/{SOMEBODY}") as response:
            assert response.status == 500
            assert SOMEBODY not in await response.text()
    # Not even one that breaks the rules of HTTP.
    for broken_line in (f"{SOMEBODY} \x01 HTTP/9.x", f"{SOMEBODY} \x00", f"{SOMEBODY} HTTP/1.1 x"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /api/v1/customers/default/{broken_line}\r\n\r\n".encode())
        assert b" 400 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
    await runner.cleanup()

    assert "a customer could not be looked up: KeyError" in caplog.text
    assert "in broken" in caplog.text
    assert caplog.text.count("not HTTP (BadStatusLine)") == 3
    assert SOMEBODY not in caplog.text
    assert not [record for record in caplog.records if SOMEBODY in str(record.exc_info)]


@pytest.mark.parametrize(
    ("minor_units", "currency", "text"),
    [
        (0, "EUR", "0.00"),
        (5, "EUR", "0.05"),
        (-5, "EUR", "-0.05"),
        (-12345, "EUR", "-123.45"),
        (7, "JPY", "7"),
        (1234, "KWD", "1.234"),
        (10**17 + 1, "EUR", "1000000000000000.01"),
    ],
)
def test_amounts_are_exact(minor_units: int, currency: str, text: str) -> None:
    assert major_text(minor_units, currency) == text
