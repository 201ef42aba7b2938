"""What a demo says of alerts: what is new, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stream.tools import demo_alerts
from stream.tools.demo_alerts import AlertJson, AlertNews, AlertsJson, ask
from stream.tools.ports import usable_port

LIVE_FROM = datetime(2025, 6, 1, tzinfo=UTC)
SETS_IN = LIVE_FROM + timedelta(days=2)


def alert(hours: float | None) -> AlertJson:
    """One that has fired for so many hours of the drop."""
    since = None if hours is None else SETS_IN + timedelta(hours=hours)
    labels = {"store": "shop", "signal": "returning_orders"}
    return AlertJson("RetentionRateDropped", labels, since, "Orders stand low.", "deploy/x.md")


def answer(hours: float, *alerts: AlertJson, why_not: str | None = None) -> AlertsJson:
    """So many hours after the drop."""
    as_of = SETS_IN + timedelta(hours=hours)
    return AlertsJson(as_of, why_not is None, why_not, list(alerts))


def test_each_thing_is_said_once() -> None:
    news = AlertNews(LIVE_FROM, "retention-drop", SETS_IN)

    assert news.news(answer(-1)) == []
    assert news.news(answer(1)) == ["2025-06-03 00:00 UTC  retention-drop sets in"]
    assert news.news(answer(20, alert(17.5))) == [
        "2025-06-03 17:30 UTC  ALERT RetentionRateDropped, 17 h after retention-drop",
        "    Orders stand low.",
        "    what to do: deploy/x.md",
    ]
    assert news.news(answer(30, alert(17.5))) == []
    assert news.news(answer(40)) == [
        "2025-06-04 16:00 UTC  ended: RetentionRateDropped (returning_orders)"
    ]


def test_an_alert_in_a_steady_shop_is_after_nothing() -> None:
    news = AlertNews(LIVE_FROM, "steady", None)

    said = news.news(answer(20, alert(17)))
    assert said[0] == "2025-06-03 17:00 UTC  ALERT RetentionRateDropped"


def test_an_alert_whose_beginning_is_not_known_is_told_as_of_now() -> None:
    news = AlertNews(LIVE_FROM, "retention-drop", None)

    said = news.news(answer(40, alert(None)))
    assert said[0] == "2025-06-04 16:00 UTC  ALERT RetentionRateDropped, for more than a day"


def test_while_it_cannot_be_asked_nothing_ends() -> None:
    news = AlertNews(LIVE_FROM, "steady", None)
    news.news(answer(20, alert(17)))

    assert news.news(answer(21, why_not="events wait")) == []
    assert news.news(answer(22, alert(17))) == []


def test_how_it_stands_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[AlertsJson | None] = []
    monkeypatch.setattr(demo_alerts, "INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(demo_alerts, "ask", lambda _host, _port: answers.pop())
    news = AlertNews(LIVE_FROM, "retention-drop", SETS_IN)

    def stands(given: AlertsJson | None, days: float = 3) -> str:
        answers[:] = [given]
        return news.standing("127.0.0.1", 1, (LIVE_FROM + timedelta(days)).timestamp())

    assert stands(answer(1), days=-1) == "alerts: when the history has been read"
    assert answers, "nothing is asked before"
    assert stands(None) == "alerts: the worker cannot tell yet"
    assert stands(answer(1, why_not="events wait")) == "alerts: not asked, events wait"
    assert stands(answer(1)) == "alerts at 2025-06-03 01:00 UTC: none"
    assert stands(answer(20, alert(17))) == "alerts at 2025-06-03 20:00 UTC: RetentionRateDropped"
    assert stands(None) == "alerts at 2025-06-03 20:00 UTC: RetentionRateDropped"


def test_a_worker_that_does_not_answer_says_nothing() -> None:
    assert ask("127.0.0.1", usable_port(0)) is None
