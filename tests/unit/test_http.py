from __future__ import annotations

import base64
import re
import socket
from typing import TYPE_CHECKING

import aiohttp
import pytest

from stream.publish.http import HEADERS, accepts_gzip, start_http
from stream.publish.page import MOST_STORES
from stream.publish.page.assets import ASSETS
from stream.settings import Secret, SettingError
from tests.support.worker import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATHS = ("/", "/static/page.css", "/static/app.js", "/metrics", "/healthz", "/readyz")


@pytest.fixture
def worker() -> Worker:
    worker = Worker()
    worker.restore()
    return worker


@pytest.fixture
async def client(worker: Worker) -> AsyncIterator[aiohttp.ClientSession]:
    runner = await start_http("127.0.0.1", 0, worker)
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", auto_decompress=False) as session:
        yield session
    await runner.cleanup()


async def text_of(client: aiohttp.ClientSession, path: str) -> str:
    async with client.get(path) as response:
        assert response.status == 200
        return await response.text()


async def test_ready_says_no_until_the_worker_is(
    client: aiohttp.ClientSession, worker: Worker
) -> None:
    worker.ready, worker.partitions_expected, worker.restore_progress = False, 4, (250, 1000)
    async with client.get("/readyz") as response:
        restoring = (response.status, await response.json())
    worker.ready, worker.partitions_expected, worker.restore_progress = True, 1, None
    async with client.get("/readyz") as response:
        ready = (response.status, await response.json())

    assert restoring == (
        503,
        {
            "ready": False,
            "partitions_ready": 1,
            "partitions_expected": 4,
            "restore": {"records_restored": 250, "records_total": 1000},
        },
    )
    assert ready == (
        200,
        {"ready": True, "partitions_ready": 1, "partitions_expected": 1, "restore": None},
    )


async def test_alive_though_not_ready(client: aiohttp.ClientSession, worker: Worker) -> None:
    worker.ready = False

    assert await text_of(client, "/healthz") == "alive\n"


async def test_metrics_are_compressed_for_who_asks(
    client: aiohttp.ClientSession, worker: Worker
) -> None:
    worker.purchase("ann", "1")
    async with client.get("/metrics", headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert (await response.read())[:2] == b"\x1f\x8b"
    async with client.get("/metrics", headers={"Accept-Encoding": "identity"}) as response:
        assert "Content-Encoding" not in response.headers
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert 'retention_orders{store="default",' in await response.text()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_only_reading_is_answered(
    client: aiohttp.ClientSession, path: str, method: str
) -> None:
    async with client.request(method, path) as response:
        assert response.status == 405
        assert response.headers["Allow"] == "GET,HEAD"


@pytest.mark.parametrize("path", [*PATHS, "/nowhere"])
async def test_every_answer_has_the_security_headers(
    client: aiohttp.ClientSession, path: str
) -> None:
    async with client.head(path) as response:
        assert {name: response.headers[name] for name in HEADERS} == HEADERS
        assert response.headers.getall("Server") == ["retention-stream"]
        assert response.status == (404 if path == "/nowhere" else 200)


@pytest.mark.parametrize(
    ("accept_encoding", "wanted"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("deflate, br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.00, identity", False),
        ("x-gzip", False),
        ("", False),
    ],
)
def test_gzip_is_for_who_asks_for_it(accept_encoding: str, *, wanted: bool) -> None:
    assert accepts_gzip(accept_encoding) is wanted


async def test_the_page_shows_the_headline_numbers_of_each_store(
    client: aiohttp.ClientSession, worker: Worker
) -> None:
    for number in range(1200):
        worker.purchase(f"customer {number}", f"order {number}", store="shop")
    worker.purchase("customer 0", "another", store="shop")

    rows = table_rows(await text_of(client, "/"))

    assert rows["7d"] == ["1,201", "1,200", "1,200", "0", "0", "0", "&ndash;", "&ndash;", "0.1%"]
    assert set(rows) == {"Window", "7d", "month"}


async def test_a_stores_name_cannot_be_markup(
    client: aiohttp.ClientSession, worker: Worker
) -> None:
    worker.purchase("ann", "1", store="<script>alert('$status')</script>")

    page = await text_of(client, "/")

    assert "<script>" not in page
    assert "&lt;script&gt;alert(&#x27;$status&#x27;)&lt;/script&gt;" in page


async def test_the_page_stays_readable_with_many_stores(
    client: aiohttp.ClientSession, worker: Worker
) -> None:
    for number in range(MOST_STORES + 5):
        worker.purchase("ann", "1", store=f"store {number:03}")

    page = await text_of(client, "/")

    assert page.count("<table>") == MOST_STORES
    assert "5 more stores" in page


async def test_the_page_says_why_it_has_no_numbers(
    client: aiohttp.ClientSession, worker: Worker
) -> None:
    worker.ready, worker.partitions_expected, worker.restore_progress = False, 4, (250, 1000)

    page = await text_of(client, "/")

    assert "not ready: 1 of 4 partitions here, 250 of 1,000 records restored" in page
    assert "No numbers yet" in page
    assert "<table>" not in page


async def test_the_page_says_that_another_worker_shows_the_numbers(
    client: aiohttp.ClientSession, worker: Worker
) -> None:
    worker.purchase("ann", "1")
    worker.another_speaks = True

    page = await text_of(client, "/")

    assert "The worker that owns partition 0 shows the numbers" in page
    assert "<table" not in page


async def test_the_page_needs_nothing_from_elsewhere(client: aiohttp.ClientSession) -> None:
    page = await text_of(client, "/")
    links = re.findall(r' (?:src|href)="([^"#]+)"', page)

    assert {"/static/app.js", "/static/page.css"} <= set(links)
    for link in links:
        async with client.head(link) as response:
            assert response.status == 200
    own = "".join(
        asset.body.decode()
        for path, asset in ASSETS.items()
        if "/uplot/" not in path and asset.content_type != "image/svg+xml"
    )
    assert not re.findall(r"https?:|url\(|@import", page + own)


async def test_the_page_has_nothing_that_its_policy_forbids(client: aiohttp.ClientSession) -> None:
    page = await text_of(client, "/")

    assert not re.findall(r"<script(?![^>]* src=)| style=| on\w+=|<style", page)


async def test_the_page_is_new_every_ten_seconds_where_there_are_no_scripts(
    client: aiohttp.ClientSession,
) -> None:
    page = await text_of(client, "/")

    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in page


async def test_every_file_of_the_page_says_what_it_is(client: aiohttp.ClientSession) -> None:
    for path, asset in ASSETS.items():
        async with client.get(path, headers={"Accept-Encoding": "identity"}) as response:
            assert response.headers["Content-Type"] == f"{asset.content_type}; charset=utf-8"
            assert await response.read() == asset.body


async def test_a_taken_port_is_told_in_one_line(worker: Worker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(
            SettingError, match=rf"^RETENTION_WEB_\w+.*127\.0\.0\.1:{port}.*port"
        ) as raised:
            await start_http("127.0.0.1", port, worker)

    assert "\n" not in str(raised.value)


def table_rows(page: str) -> dict[str, list[str]]:
    """The cells of each row, by the row's first head."""
    return {
        re.findall(r"<th[^>]*>(.*?)</th>", row)[0]: re.findall(r"<td>(.*?)</td>", row)
        for row in re.findall(r"<tr>(.*?)</tr>", page)
    }


TOKEN = "a-token-of-enough-characters"  # noqa: S105 - made up


@pytest.fixture
async def guarded(worker: Worker) -> AsyncIterator[aiohttp.ClientSession]:
    runner = await start_http("127.0.0.1", 0, worker, Secret(TOKEN))
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    await runner.cleanup()


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


@pytest.mark.parametrize(
    "shown",
    [f"Bearer {TOKEN}", f"bearer {TOKEN}", basic("anyone", TOKEN), basic("", TOKEN)],
)
async def test_who_shows_the_token_may_read(guarded: aiohttp.ClientSession, shown: str) -> None:
    for path in PATHS:
        async with guarded.get(path, headers={"Authorization": shown}) as response:
            assert response.status == 200


@pytest.mark.parametrize(
    "shown",
    [
        None,
        "",
        TOKEN,
        "Bearer",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Token {TOKEN}",
        basic(TOKEN, ""),
        "Basic %%%",
        "Basic //79",
    ],
)
async def test_others_get_one_line_and_no_number(
    guarded: aiohttp.ClientSession, shown: str | None
) -> None:
    headers = {} if shown is None else {"Authorization": shown}
    for path in ("/", "/static/app.js", "/metrics", "/api/v1/events", "/nothing-here"):
        async with guarded.get(path, headers=headers) as response:
            text = await response.text()
            assert response.status == 401
            assert response.headers.getall("WWW-Authenticate")[0].startswith("Bearer ")
            assert "RETENTION_WEB_TOKEN" in text
            assert text.count("\n") == 1
            assert TOKEN not in text


async def test_probes_need_no_token(guarded: aiohttp.ClientSession) -> None:
    for path in ("/healthz", "/readyz"):
        async with guarded.get(path) as response:
            assert response.status == 200
