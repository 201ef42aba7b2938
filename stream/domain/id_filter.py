"""A Bloom filter over ids seen: "surely new" without reading a customer's history.

An event whose id may have been seen takes the exact path, so a false positive costs time and
never a wrong number. Bloom, "Space/time trade-offs in hash coding", CACM 13 (1970).
"""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64, U64, Bools, Records
from stream.domain.entries import GUEST_ORDER, ORDER, SIGNUP

_LEAST_BITS = 1 << 12
#: Between 12 and 24 bits an id: at most about one new id in a hundred takes the exact path.
BITS_PER_ID = 12
_PROBES = 3
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class IdFilter:
    """Bits of all fingerprints added; grows only by :meth:`rebuild`."""

    def __init__(self) -> None:
        self.ids = 0
        self._bits = np.zeros(_LEAST_BITS // 64, np.uint64)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return int(self._bits.nbytes)

    @property
    def full(self) -> bool:
        """True when it holds more ids than it tells apart well: rebuild it."""
        return self.ids * BITS_PER_ID > len(self._bits) * 64

    def rebuild(self, fingerprints: U64) -> None:
        """Start again, sized for these fingerprints and as many more."""
        bits = _LEAST_BITS
        while bits < 2 * BITS_PER_ID * len(fingerprints):
            bits *= 2
        self.ids = 0
        self._bits = np.zeros(bits // 64, np.uint64)
        self.add(fingerprints)

    def add(self, fingerprints: U64) -> None:
        """Note fingerprints as seen."""
        self.ids += len(fingerprints)
        for word, bit in self._probes(fingerprints):
            np.bitwise_or.at(self._bits, word, bit)

    def may_contain(self, fingerprints: U64) -> Bools:
        """False where a fingerprint was surely never added."""
        found = np.ones(len(fingerprints), np.bool_)
        for word, bit in self._probes(fingerprints):
            found &= (self._bits[word] & bit) != 0
        return found

    def _probes(self, fingerprints: U64) -> list[tuple[U64, U64]]:
        # One word an id and several bits in it: one cache line a look-up.
        word = (fingerprints >> np.uint64(20)) & np.uint64(len(self._bits) - 1)
        return [
            (
                word.astype(np.int64),
                np.uint64(1) << ((fingerprints >> np.uint64(6 * n)) & np.uint64(63)),
            )
            for n in range(_PROBES)
        ]


def fingerprint(rows: U64, id_hashes: U64, kinds: U64) -> U64:
    """One number for (customer row, kind, id)."""
    mixed = (rows * np.uint64(4) + kinds) * _MULTIPLIER
    mixed ^= id_hashes
    mixed ^= mixed >> np.uint64(29)
    mixed *= _MULTIPLIER
    return mixed ^ (mixed >> np.uint64(32))


def id_fingerprints(rows: I64, entries: Records) -> U64:
    """Fingerprints of the entries that have an id: all but signups."""
    kinds, hashes = entries["kind"], entries["id_hash"]
    with_id = kinds != SIGNUP
    if not with_id.all():
        rows, kinds, hashes = rows[with_id], kinds[with_id], hashes[with_id]
    # A cancellation (kind past the others) bears on its order's id.
    kinds = np.where(kinds > GUEST_ORDER, ORDER, kinds).astype(np.uint64)
    return fingerprint(rows.astype(np.uint64), hashes, kinds)
