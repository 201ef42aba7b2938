"""The whole thing in one command: broker, topics, worker and a shop that sends events."""

from __future__ import annotations

import dataclasses
import signal
import sys
import time
from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from rich.live import Live

from stream.settings import DEFAULTS, KafkaConnection, RedisConnection
from stream.tools import dashboard
from stream.tools.child_process import ChildProcess
from stream.tools.console import CommandError, say
from stream.tools.demo_alerts import AlertNews
from stream.tools.embedded_broker import DEFAULT_PORT, EmbeddedBroker
from stream.tools.ports import HOST, listens, port_number, port_or_free, usable_port
from stream.tools.shop_options import HEAD_START_DAYS, HISTORY_DAYS
from stream.tools.shop_scenario import SCENARIOS
from stream.tools.topics import ensure_topics

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence
    from datetime import date
    from types import FrameType

    from stream.settings import Settings

T = TypeVar("T")

SAMPLES = {"cdnow": Path(__file__).parent / "samples" / "cdnow.jsonl.gz"}
#: Of the caller's connections: the demo has its own broker, on loopback and in the clear.
UNSET = tuple(
    name
    for name in DEFAULTS
    if name.startswith(("RETENTION_KAFKA_", "RETENTION_REDIS_", "RETENTION_WEB_TOKEN"))
)
START_TIMEOUT_SECONDS = 60.0
REFRESH_SECONDS = 0.5
SECONDS_PER_LINE = 3.0
DEFAULT_RATE = 500.0
#: With a scenario: a day in some eight seconds, slow enough to watch.
SCENARIO_RATE = 125.0
#: Half a year of them is read in less than a minute.
NEWCOMERS_A_DAY = 500
STEADY = "steady"
#: Days of live trade before the scenario sets in, so that there is something to compare with.
STEADY_DAYS = 2


def add_arguments(parser: ArgumentParser) -> None:
    """The options of ``demo``."""
    traffic = parser.add_mutually_exclusive_group()
    traffic.add_argument(
        "--sample", choices=sorted(SAMPLES), help="send this bundled data set instead of a shop"
    )
    traffic.add_argument(
        "--scenario",
        choices=sorted(SCENARIOS),
        help=f"what happens in the shop, {STEADY_DAYS} simulated days after its history "
        f"(default: {STEADY})",
    )
    parser.add_argument(
        "--rate",
        type=float,
        help="events a second of the shop after its history "
        f"(default: {DEFAULT_RATE:g}, with a scenario {SCENARIO_RATE:g})",
    )
    parser.add_argument(
        "--duration", type=float, metavar="SECONDS", help="end by itself after so long"
    )
    parser.add_argument(
        "--port", type=port_number, help="port of the page and /metrics; 0 picks a free one"
    )


def run(settings: Settings, args: Namespace) -> int:
    """Run the demo until Ctrl-C, SIGTERM or ``--duration``; nothing of it is left behind."""
    signal.signal(signal.SIGTERM, _interrupt)
    with ExitStack() as children:
        try:
            _run(settings, args, children)
        except KeyboardInterrupt:
            say("stopping")
        finally:
            # From here it takes a few seconds at most; a second Ctrl-C must not leave children.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return 0


def _interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _run(settings: Settings, args: Namespace, children: ExitStack) -> None:
    start = time.monotonic()
    broker = children.enter_context(EmbeddedBroker(port_or_free(DEFAULT_PORT)))
    settings = dataclasses.replace(
        settings,
        kafka=KafkaConnection(broker.address),
        clock="event",
        redis=RedisConnection(),
        web_host=HOST,
        web_token=None,
        web_port=port_or_free(settings.web_port) if args.port is None else usable_port(args.port),
    )
    ensure_topics(settings)
    # Only the values given here differ from the caller's settings: `env` adds them to the rest.
    command = [
        "env",
        *(word for name in UNSET for word in ("-u", name)),
        f"RETENTION_BROKER={settings.broker}",
        "RETENTION_CLOCK=event",
        # The embedded broker lets a first join wait for half a session.
        "RETENTION_SESSION_TIMEOUT_SECONDS=6",
        f"RETENTION_WEB_HOST={settings.web_host}",
        f"RETENTION_WEB_PORT={settings.web_port}",
        f"RETENTION_DATA_DIR={Path(settings.data_dir) / 'demo'}",
        *(sys.executable, "-m", "stream"),
    ]
    logs = Path(settings.data_dir).absolute() / "demo"
    worker = ChildProcess("worker", [*command, "worker"], logs / "worker.log")
    children.callback(worker.stop)
    say(f"page     http://{settings.web_host}:{settings.web_port}/")
    say(f"metrics  http://{settings.web_host}:{settings.web_port}/metrics")
    say(f"broker   {settings.broker}")
    say(f"logs     {logs}")
    say("waiting for the worker to join and read")
    # The traffic is sent while the worker waits to join, not while it loads: both are busy then.
    _wait_for(lambda: listens(settings.web_port) or None, [broker.process, worker])
    opens = datetime.now(UTC).date() - timedelta(days=HEAD_START_DAYS + HISTORY_DAYS)
    traffic = ChildProcess(
        "traffic", [*command, *_traffic_command(args, opens)], logs / "traffic.log"
    )
    children.callback(traffic.stop)
    _show(settings, args, [broker.process, worker, traffic], start, _alert_news(args, opens))


def _traffic_command(args: Namespace, opens: date) -> Sequence[str]:
    if args.sample is not None:
        return ["produce", str(SAMPLES[args.sample])]
    rate = args.rate
    if rate is None:
        rate = DEFAULT_RATE if args.scenario in (None, STEADY) else SCENARIO_RATE
    return [
        *("simulate", "--rate", str(rate), "--start", str(opens)),
        *("--customers-per-day", str(NEWCOMERS_A_DAY)),
        *("--scenario", args.scenario or STEADY, "--scenario-at", str(STEADY_DAYS)),
    ]


def _alert_news(args: Namespace, opens: date) -> AlertNews | None:
    """What is told of alerts, and before that, what will happen when; None for a data set."""
    if args.sample is not None:
        return None
    scenario = args.scenario or STEADY
    live_from = datetime(opens.year, opens.month, opens.day, tzinfo=UTC) + timedelta(HISTORY_DAYS)
    say(f"first come {HISTORY_DAYS} days of trade, until {live_from:%Y-%m-%d}")
    if scenario == STEADY:
        return AlertNews(live_from, STEADY, None)
    sets_in = live_from + timedelta(STEADY_DAYS)
    say(f"{scenario} sets in on {sets_in:%Y-%m-%d}, in the time of the shop")
    return AlertNews(live_from, scenario, sets_in)


def _show(
    settings: Settings,
    args: Namespace,
    children: Sequence[ChildProcess],
    start: float,
    news: AlertNews | None,
) -> None:
    gauges = _wait_for(lambda: _with_windows(settings), children)
    say(f"first gauges {time.monotonic() - start:.1f} s after start; Ctrl-C ends the demo")
    live = _live_table() if sys.stdout.isatty() else None
    end = float("inf") if args.duration is None else start + args.duration
    interval = SECONDS_PER_LINE if live is None else REFRESH_SECONDS
    last_events, last_time = gauges.events, time.monotonic()
    with live or nullcontext():
        while True:
            now = time.monotonic()
            rate = (gauges.events - last_events) / max(now - last_time, REFRESH_SECONDS)
            last_events, last_time = gauges.events, now
            notes = []
            if news is not None:
                at = gauges.as_of_seconds
                notes.append(news.standing(settings.web_host, settings.web_port, at))
            if live is None:
                say(" | ".join((dashboard.line(gauges, rate), *notes)))
            else:
                live.update(dashboard.table(gauges, rate, *notes), refresh=True)
            if now >= end:
                return
            time.sleep(max(0.0, min(interval, end - now)))
            _check(children)
            gauges = dashboard.scrape(settings.web_host, settings.web_port) or gauges


def _live_table() -> Live:
    return Live(auto_refresh=False)


def _with_windows(settings: Settings) -> dashboard.Gauges | None:
    gauges = dashboard.scrape(settings.web_host, settings.web_port)
    return gauges if gauges is not None and gauges.windows else None


def _wait_for(look: Callable[[], T | None], children: Sequence[ChildProcess]) -> T:
    """What ``look`` finds, asked again and again while the children live."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        _check(children)
        found = look()
        if found is not None:
            return found
        time.sleep(REFRESH_SECONDS / 5)
    worker = children[1]
    raise CommandError(
        f"the worker shows nothing after {START_TIMEOUT_SECONDS:.0f} s; see {worker.log_path}"
    )


def _check(children: Sequence[ChildProcess]) -> None:
    for child in children:
        code = child.exit_code
        # A sample that was sent to its end is no failure.
        if code is None or (code == 0 and child.name == "traffic"):
            continue
        for line in child.last_lines():
            sys.stderr.write(f"{child.name}: {line}\n")
        raise CommandError(f"the demo's {child.name} ended with code {code}; see {child.log_path}")
