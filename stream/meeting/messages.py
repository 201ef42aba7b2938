"""What workers say to each other, and how it is written.

A round has two questions. "Who is here?" is answered with what a worker covers and the latest
event it saw; from that follows one "as of" for all. "What do you count as of then?" is answered
with totals, and with what they cover at that very moment.
"""

from __future__ import annotations

import zlib

import msgspec
import xxhash

from stream.domain.config import EngineConfig
from stream.domain.lookup import CustomerView
from stream.domain.reading import Scope
from stream.domain.totals import Totals

#: Raise it when the same fields mean something else than before; new fields need nothing.
VERSION = 1
#: The quickest; totals shrink to a tenth.
COMPRESSION_LEVEL = 1


class UnreadableMessageError(ValueError):
    """Bytes that are no message of this version."""


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """What one worker covers, at one moment.

    Attributes:
        worker: its name, another one after each start.
        generation: of the consumer group, the one that gave it its partitions.
        partitions: those whose customers are all in its totals.
        positions: of each source topic and covered partition, the offset of the next event that
            is not yet counted.
        latest_event_ms: the greatest event time it saw.
    """

    worker: str
    generation: int
    partitions: frozenset[int]
    positions: dict[tuple[str, int], int]
    latest_event_ms: int | None


class RollCall(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Who is here? ``terms`` is what both sides must agree on, see `terms_of`."""

    terms: str
    caller: str
    number: int
    generation: int


class Present(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """I am."""

    terms: str
    number: int
    standing: Standing


class Question(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What do you count as of then?"""

    terms: str
    caller: str
    number: int
    generation: int
    as_of_ms: int


class Share(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """This; ``standing`` is of the same moment as the totals."""

    terms: str
    number: int
    standing: Standing
    totals: Totals


class PastQuestion(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What do you count as of these instants?"""

    terms: str
    caller: str
    number: int
    generation: int
    at_ms: tuple[int, ...]
    scope: Scope


class PastShare(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """This, instant by instant; all read at one moment, that of ``standing``."""

    terms: str
    number: int
    standing: Standing
    totals: list[Totals]


class CustomerQuestion(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What is known of this customer? Whoever covers its partition answers."""

    terms: str
    caller: str
    number: int
    generation: int
    partition: int
    store: str
    #: What the id is kept as: where there are pseudonyms, no real id passes through Redis.
    kept_id: str


class CustomerAnswer(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """This; None: nothing is."""

    terms: str
    number: int
    standing: Standing
    customer: CustomerView | None


Message = (
    RollCall
    | Present
    | Question
    | Share
    | PastQuestion
    | PastShare
    | CustomerQuestion
    | CustomerAnswer
)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Message)


def encode(message: Message) -> bytes:
    """A message as bytes."""
    return zlib.compress(_encoder.encode(message), COMPRESSION_LEVEL)


def decode(data: bytes) -> Message:
    """A message from bytes.

    Raises:
        UnreadableMessageError: when they are none of this version.
    """
    try:
        message: Message = _decoder.decode(zlib.decompress(data))
    except (zlib.error, msgspec.DecodeError) as error:
        raise UnreadableMessageError(str(error)) from error
    return message


def terms_of(config: EngineConfig) -> str:
    """A fingerprint of all that decides what totals mean; only equal ones may be added up.

    That is the settings, the fields of the messages and this module's version.
    """
    fields = msgspec.inspect.type_info(Message)
    return xxhash.xxh3_64_hexdigest(repr((VERSION, config, fields)).encode())
