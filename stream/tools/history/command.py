"""Writes the past of every business gauge as OpenMetrics, for ``promtool`` to make blocks of."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stream.domain.windows import parse_duration_ms
from stream.publish.api.requests import LABELS
from stream.tools.arguments import moment_ms
from stream.tools.console import CommandError, count_progress, say
from stream.tools.history.openmetrics import BUCKET_LABEL, Past
from stream.tools.history.worker_answers import WorkerApi

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterable, Mapping

    from stream.settings import Settings
    from stream.tools.history.worker_answers import MetricsJson

#: A rebalance takes seconds, a restore more.
PATIENCE_SECONDS = 60.0
FILTERS = ("name", "store", "dimension", "segment", "window")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_STANDARD_OUTPUT = "-"


def add_arguments(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "--from",
        dest="start",
        type=moment_ms,
        required=True,
        metavar="TIME",
        help="the first instant: RFC 3339 or epoch seconds",
    )
    parser.add_argument(
        "--to",
        dest="end",
        type=moment_ms,
        metavar="TIME",
        help="no instant is later (default: what the worker is as of)",
    )
    parser.add_argument(
        "--step",
        type=_duration_ms,
        default="1h",
        metavar="DURATION",
        help="from one instant to the next, as 5m, 1h or 1d (default: 1h)",
    )
    parser.add_argument("--url", help="the worker, http://host:port (default: from settings)")
    parser.add_argument(
        "--output",
        default=_STANDARD_OUTPUT,
        metavar="FILE",
        help="where to write (default: -, the standard output)",
    )
    parser.add_argument(
        "--label",
        dest="labels",
        type=_label,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a label for all samples, as job=retention; repeat for more",
    )
    for name in FILTERS:
        parser.add_argument(
            f"--{name}", help=f"only this {'metric' if name == 'name' else name} (default: all)"
        )


def run(settings: Settings, args: Namespace) -> int:
    """Ask the worker instant by instant, then write."""
    address: str = args.url or f"http://{settings.web_host}:{settings.web_port}"
    api = WorkerApi(address, settings.web_token, PATIENCE_SECONDS)
    wanted = {name: getattr(args, name) for name in FILTERS if getattr(args, name)}
    now_ms = _as_of_ms(api.metrics(wanted | {"window": "none"}))
    end_ms = now_ms if args.end is None else args.end
    if end_ms > now_ms:
        raise CommandError(f"--to is in the future: the worker is as of {_text(now_ms)}")
    at_ms = range(args.start, end_ms + 1, args.step)
    if not at_ms:
        raise CommandError(f"--from is after --to, which is {_text(end_ms)}")
    past = Past(at_ms, tuple(args.labels))
    with count_progress("asking the worker") as report:
        ask(api, wanted, past, at_ms, report)
    if not past.samples:
        raise CommandError("there is no sample of that: ask for another store, window or time")
    if args.output == _STANDARD_OUTPUT:
        sys.stdout.writelines(past.lines())
        return 0
    path = Path(args.output)
    write(path, past.lines())
    say(
        f"{past.samples:,} samples of {past.series:,} series at {len(at_ms):,} instants; now: "
        f"promtool tsdb create-blocks-from openmetrics {path} DIRECTORY"
    )
    return 0


def ask(
    api: WorkerApi,
    wanted: Mapping[str, str],
    past: Past,
    at_ms: range,
    report: Callable[[int, int], None],
) -> None:
    """Fill the past with what the worker says of each instant."""
    for instant, at in enumerate(at_ms):
        report(instant, len(at_ms))
        answer = api.metrics({**wanted, "at": f"{at // 1000}.{at % 1000:03}"})
        for metric in answer.metrics:
            past.family(metric.name, metric.type, metric.help)
            for sample in metric.samples:
                labels = tuple(sample.labels.items())
                past.add(metric.name, sample.series, labels, instant, sample.value)
    report(len(at_ms), len(at_ms))


def write(path: Path, lines: Iterable[str]) -> None:
    """Write a file that is there only when it is whole."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.writelines(lines)
    partial.replace(path)


def _as_of_ms(answer: MetricsJson) -> int:
    return round(datetime.fromisoformat(answer.as_of).timestamp() * 1000)


def _text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


def _duration_ms(text: str) -> int:
    try:
        return parse_duration_ms(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or _LABEL_NAME.fullmatch(name) is None:
        raise ArgumentTypeError(f"{text!r} is no label: write NAME=VALUE")
    if name in (*LABELS, "cohort", "age", BUCKET_LABEL):
        raise ArgumentTypeError(f"the samples have a label {name!r} of their own")
    return name, value
