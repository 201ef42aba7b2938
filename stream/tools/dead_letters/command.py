"""Lists dead letters, shows and exports them, and sends them again after a fix."""

from __future__ import annotations

import re
import sys
from collections import Counter, deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stream.tools.console import CommandError, count_progress, say
from stream.tools.dead_letters.files import read_corrections, write_letters
from stream.tools.dead_letters.letters import letter_of
from stream.tools.dead_letters.report import counted, show_letter, show_survey, show_topics
from stream.tools.dead_letters.resending import Router, resend
from stream.tools.dead_letters.survey import Survey, survey, waiting
from stream.tools.dead_letters.topic import DeadLetterTopic
from stream.tools.record_producer import RecordProducer

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence

    from stream.settings import Settings
    from stream.tools.dead_letters.letters import Letter

SHOWN_LETTERS = 10


def add_arguments(parser: ArgumentParser) -> None:
    """What to do with the letters; ``list`` when nothing is said."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="count them by reason (the default)")
    show = actions.add_parser("show", help="print letters whole, with their customers' data")
    show.add_argument(
        "letters",
        nargs="*",
        metavar="PARTITION-OFFSET",
        help="letters; with TOPIC- before it, the place of the event that became one",
    )
    show.add_argument(
        "--limit",
        type=int,
        default=SHOWN_LETTERS,
        help="print at most so many, the latest (default: %(default)s)",
    )
    export = actions.add_parser("export", help="write waiting letters to a file, to correct them")
    export.add_argument("file", type=Path, metavar="FILE", help="a new file of JSON lines")
    again = actions.add_parser("resend", help="send waiting letters to their topics again")
    again.add_argument(
        "--from",
        dest="file",
        type=Path,
        metavar="FILE",
        help="send the letters of this exported file, with the events as they stand there",
    )
    again.add_argument("--dry-run", action="store_true", help="only say what would be sent")
    again.add_argument("--yes", action="store_true", help="do not ask")
    for action in (show, export, again):
        action.add_argument(
            "--reason", action="append", default=[], help="only these; may be given again"
        )


def run(settings: Settings, args: Namespace) -> int:
    """Do what was asked for."""
    with _opened(settings) as topic:
        if args.action == "show":
            return _show(topic, args.letters, args.reason, args.limit)
        found = survey(topic)
        if args.action in {None, "list"}:
            return _list(found, topic.name)
        _check_reasons(args.reason, found)
        if args.action == "export":
            count = write_letters(args.file, waiting(topic, found.resent, args.reason))
            say(f"wrote {counted(count, 'letter')} to {args.file}; it holds customers' data")
            return 0
        return _resend(settings, topic, found, args)


@contextmanager
def _opened(settings: Settings) -> Iterator[DeadLetterTopic]:
    with (
        count_progress("reading letters") as report,
        DeadLetterTopic(settings.kafka, settings.topic_dead_letters, report) as topic,
    ):
        yield topic


def _list(found: Survey, topic: str) -> int:
    if found.tallies:
        show_survey(found, f"dead letters in {topic}, times in UTC")
    else:
        say(f"no dead letters in {topic}")
    if found.strangers:
        say(f"left alone in {topic}: {counted(found.strangers, 'other record')}")
    return 0


def _show(topic: DeadLetterTopic, names: Sequence[str], reasons: Sequence[str], limit: int) -> int:
    wanted = [_place(name, topic.name) for name in names]
    latest: deque[Letter] = deque(maxlen=max(limit, len(wanted)))
    for record in topic.records():
        letter = letter_of(record)
        if letter is None or (reasons and letter.reason not in reasons):
            continue
        if not wanted or any(place in _places(letter, topic.name) for place in wanted):
            latest.append(letter)
    if not latest:
        raise CommandError(f"no such letter in {topic.name}; see: retention-stream dead-letters")
    resent = survey(topic).resent
    for letter in latest:
        show_letter(letter, was_resent=letter.fingerprint in resent)
    return 0


def _place(name: str, dead_letter_topic: str) -> tuple[str, int, int]:
    match = re.fullmatch(r"(?:(.+)-)?([0-9]{1,9})-([0-9]{1,18})", name)
    if match is None:
        raise CommandError(f"{name!r} is not a letter: write PARTITION-OFFSET, like 3-120")
    return match[1] or dead_letter_topic, int(match[2]), int(match[3])


def _places(letter: Letter, dead_letter_topic: str) -> tuple[tuple[str, int, int], ...]:
    return (
        (dead_letter_topic, letter.partition, letter.offset),
        (letter.topic, letter.topic_partition, letter.topic_offset),
    )


def _check_reasons(reasons: Sequence[str], found: Survey) -> None:
    for reason in reasons:
        if reason not in found.reasons:
            there = ", ".join(found.reasons) or "none"
            raise CommandError(f"no letter has the reason {reason!r}; the reasons are: {there}")


def _resend(settings: Settings, topic: DeadLetterTopic, found: Survey, args: Namespace) -> int:
    corrections = None if args.file is None else read_corrections(args.file)
    router = Router(settings, corrections)
    # Counted first, so that the question is about what will happen.
    counts: Counter[str] = Counter()
    without_event = 0
    names = set()
    for letter in waiting(topic, found.resent, args.reason):
        names.add(letter.name)
        event = router.route(letter)
        if event is not None:
            counts[event.topic] += 1
        elif corrections is None:
            without_event += 1
    if without_event:
        say(f"without an event to send: {counted(without_event, 'letter')}; export, then correct")
    if corrections is not None and (missing := len(corrections.keys() - names)):
        say(
            f"not waiting any more: {counted(missing, 'letter')} of {args.file}, "
            "sent again already or deleted"
        )
    if not counts:
        say("nothing to send")
        return 0
    show_topics(counts, "to send again")
    if args.dry_run:
        return 0
    if not args.yes:
        _confirm(counts.total())
    with (
        RecordProducer(settings.kafka, [*counts, topic.name]) as producer,
        count_progress("sending") as report,
    ):
        events = (
            event
            for letter in waiting(topic, found.resent, args.reason)
            if (event := router.route(letter)) is not None
        )
        sent = resend(producer, topic.name, events, lambda done: report(done, counts.total()))
    say(f"sent {counted(sent, 'event')} again; what fails again is a new dead letter")
    return 0


def _confirm(count: int) -> None:
    if not sys.stdin.isatty():
        raise CommandError("nobody is there to confirm: add --yes, or look first with --dry-run")
    if input(f"send {counted(count, 'event')} again? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise CommandError("nothing was sent")
