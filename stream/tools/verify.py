"""Recomputes every metric from the raw events and compares it with a running worker's gauges."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stream.tools.arguments import moment_ms
from stream.tools.console import CommandError, say
from stream.tools.oracle import (
    Difference,
    LifecycleParameters,
    OracleError,
    OracleParameters,
    Recomputed,
    broken_identities,
    compare,
    count_compared,
    recompute,
    write_sql,
)
from stream.tools.translated_files import translated_files
from stream.tools.verify_report import fraction_progress, show_differences
from stream.tools.verify_scrape import Scrape, scrape, wait_until_settled

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from contextlib import AbstractContextManager

    from stream.settings import Settings

#: An event that came to the wrong partition takes one flush to leave and one to be counted.
STEADY_FLUSHES = 2.5


def add_arguments(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="events, as produced")
    parser.add_argument(
        "--translate",
        action="store_true",
        help="the files hold events in other forms too, as of Segment or Shopify",
    )
    parser.add_argument(
        "--url", metavar="URL", help="the worker's metrics (default: from settings)"
    )
    parser.add_argument(
        "--as-of",
        type=moment_ms,
        metavar="TIME",
        help="compute for this moment: RFC 3339 or epoch seconds (default: as the worker says)",
    )
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="wait at most so long until the worker has read everything (default: 0)",
    )
    parser.add_argument(
        "--sql",
        type=Path,
        metavar="DIR",
        help="only write the SQL into DIR, to run in a warehouse; needs no files and no worker",
    )


def run(settings: Settings, args: Namespace) -> int:
    """Compare and print; 0 when every gauge is equal, otherwise 1."""
    parameters = OracleParameters(
        windows=tuple(window.name for window in settings.windows),
        dimensions=settings.dimensions,
        timezone=settings.timezone,
        bucket_ms=settings.bucket_ms,
        horizon_ms=settings.horizon_ms,
        clock=settings.clock,
        now_ms=time.time_ns() // 1_000_000,
        as_of_ms=args.as_of,
        experiment="" if settings.experiment is None else settings.experiment.dimension,
        control="" if settings.experiment is None else settings.experiment.control,
        lifecycle=lifecycle_parameters(settings),
    )
    if args.sql is not None:
        for path in write_sql(args.sql, parameters):
            say(str(path))
        return 0
    if not args.files:
        raise CommandError("name the files of events that were sent to the worker")
    url: str = args.url or f"http://{settings.web_host}:{settings.web_port}/metrics"
    if args.wait:
        shown = wait_until_settled(
            url,
            args.wait,
            STEADY_FLUSHES * settings.commit_interval_seconds,
            settings.web_token,
        )
    else:
        shown = scrape(url, settings.web_token)
    if parameters.as_of_ms is None:
        parameters = replace(parameters, as_of_ms=shown.as_of_ms)
    try:
        given: AbstractContextManager[list[Path]] = (
            translated_files(args.files, settings) if args.translate else nullcontext(args.files)
        )
        with given as files, fraction_progress() as report:
            recomputed = recompute(files, parameters, report)
    except OracleError as error:
        raise CommandError(str(error)) from error
    return _judge(recomputed, shown)


def lifecycle_parameters(settings: Settings) -> LifecycleParameters:
    """When time changes a customer's stage, as the oracle is told."""
    return LifecycleParameters(**asdict(settings.lifecycle))


def _judge(recomputed: Recomputed, shown: Scrape) -> int:
    if recomputed.samples and not shown.samples:
        raise CommandError(
            f"the worker shows no business gauges ({shown.partitions_ready} of "
            f"{shown.partitions_expected} partitions are ready): try again when /readyz says so"
        )
    compared = count_compared(recomputed.samples, shown.samples)
    differences = compare(recomputed.samples, shown.samples)
    outcomes = outcome_differences(recomputed, shown)
    rules_broken = broken_identities(shown.samples)
    if problems := [*differences, *rules_broken, *(outcomes or [])]:
        show_differences(problems)
    say(
        f"{recomputed.events:,} events: {compared:,} gauges compared, "
        f"{compared - len(differences):,} equal"
        + (f", {len(rules_broken)} rules broken" if rules_broken else "")
    )
    if outcomes is None:
        say(
            "retention_events_total was not compared: this worker's counters cover "
            f"{shown.events_read:,} records, the files hold {recomputed.events:,}"
        )
    return 1 if problems else 0


def outcome_differences(recomputed: Recomputed, shown: Scrape) -> list[Difference] | None:
    """Counters of unusable events that differ.

    None when the counters do not cover the events of the files: a worker counts from its start,
    and only what it has read itself.
    """
    if shown.events_read != recomputed.events:
        return None
    return [
        Difference("retention_events_total", (("outcome", outcome),), expected, actual)
        for outcome in ("rejected", "too_late")
        if (expected := recomputed.outcomes.get(outcome, 0))
        != (actual := shown.outcomes.get(outcome, 0))
    ]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:  # noqa: PLR2004 - a day
        raise ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return seconds
