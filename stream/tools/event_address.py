"""Where an event goes, in whatever form it is written: its topic and its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.wire.dialects.canonical import DialectConfig
from stream.wire.dialects.translator import Translator

if TYPE_CHECKING:
    from stream.domain.config import EventType


class _Address(msgspec.Struct, gc=False):
    type: str = ""
    customer_id: str | None = None
    order_id: str | int | None = None


_DECODER = msgspec.json.Decoder(_Address)
_TOPIC_INDEX = {"purchase": 0, "signup": 1, "return": 2, "cancellation": 2, "erasure": 2}


class Addresses:
    """Finds the addresses of events.

    Args:
        event_names: names of events beside the platforms' own, and what they mean.
    """

    def __init__(self, event_names: tuple[tuple[str, EventType], ...] = ()) -> None:
        self._translator = Translator(DialectConfig(event_names=event_names))

    def of(self, line: bytes) -> tuple[int, bytes | None]:
        """The index of its topic in (purchases, signups, returns), and its key.

        A document of several events goes by the first: all are of one customer. What cannot be
        read goes to purchases without a key: the worker turns it into a dead letter, so that
        nothing is dropped on the way.
        """
        topic, key = _address(line)
        if topic is None:
            events = self._translator.translate(line)
            if isinstance(events, list):
                topic, key = _address(events[0])
        return topic or 0, key


def _address(line: bytes) -> tuple[int | None, bytes | None]:
    """The address of a canonical event; no topic when it is none."""
    try:
        event = _DECODER.decode(line)
        topic = _TOPIC_INDEX.get(event.type)
        key = event.customer_id
        if key is None and topic == 0 and event.order_id is not None:
            # A guest order belongs to the partition of its own id.
            key = str(event.order_id)
        return topic, None if key is None else key.encode()
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # A ValueError is a text that is not UTF-8, or a number of thousands of digits.
        return None, None
