"""Segments that every store may have, beside the values that events carry."""

from __future__ import annotations

#: The one segment of the whole store, and the name of its dimension.
ALL = "all"
#: Customers without a value.
UNKNOWN = "unknown"
#: Values past the number that is kept apart.
OTHER = "other"
