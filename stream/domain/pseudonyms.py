"""Customers' ids as pseudonyms: keyed hashes, and only who has the key can tell whose they are.

Keyed BLAKE2b (RFC 7693) with 128 bits: among 10^9 customers two share one with a chance of 10^-21.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Self

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Replaces ids under one key. It tells which key by :attr:`check`, and never the key."""

    #: Differs with the key, and says nothing else of it.
    check: str
    #: Keyed and without data: copied for each id, which is twice as fast as made anew.
    _empty: blake2b = field(repr=False, compare=False)

    @classmethod
    def under(cls, secret: str) -> Self:
        """Pseudonyms under a secret text of any length."""
        key = blake2b(secret.encode(), digest_size=blake2b.MAX_KEY_SIZE).digest()
        check = blake2b(b"check", digest_size=8, key=key).hexdigest()
        return cls(check, blake2b(digest_size=_DIGEST_BYTES, key=key))

    def key_of(self, key: bytes) -> bytes:
        """The key of a customer's or guest order's state, with a pseudonym in place of the id.

        The store is hashed with the id, so that one person in two stores has two pseudonyms.
        """
        at = key.rindex(b"\0") + 1
        hashed = self._empty.copy()
        hashed.update(key)
        return key[:at] + hashed.hexdigest().encode()
