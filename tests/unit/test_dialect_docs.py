"""The documents shown in docs/events.md are understood, and none of their reasons is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stream.domain.config import DIALECTS
from stream.wire.dialects.canonical import BAD_DOCUMENT, NOT_USED
from stream.wire.dialects.detect import by_shape
from stream.wire.dialects.translator import OTHER_DIALECT
from tests.support.translation import events_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```json document\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("document", SHOWN)
def test_every_document_shown_can_be_used(document: str) -> None:
    assert events_of(document.encode())


def test_every_dialect_is_shown() -> None:
    assert {by_shape(document.encode()) for document in SHOWN} == set(DIALECTS)


def test_every_reason_of_the_dialects_is_documented() -> None:
    _, _, section = PAGE.partition("## Dead letters")
    documented = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert {NOT_USED, BAD_DOCUMENT, OTHER_DIALECT} <= documented
