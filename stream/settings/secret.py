"""A value that is known and never shown."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field


class _Unshown(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True, slots=True)
class Secret:
    """A password or token. Neither ``repr`` nor ``str`` tells it; only ``reveal`` does.

    Call ``reveal`` in the very expression that hands the text to the client that needs it.
    """

    _text: str = field(repr=False)

    def reveal(self) -> str:
        """The text itself, which clients that show their options still do not show."""
        return _Unshown(self._text)

    def matches(self, text: str) -> bool:
        """Whether ``text`` is the secret, found out in a time that does not depend on how much is.

        What was received may hold any character, so bytes are compared.
        """
        return hmac.compare_digest(
            self._text.encode(errors="surrogatepass"), text.encode(errors="surrogatepass")
        )
