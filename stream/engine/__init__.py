"""The engine: records in, customers' states and totals out. Pure: no broker, clock or server.

One engine holds the partitions of one worker. The shell around it fetches, forwards what the
engine hands back (dead letters, strays, changelog records) and commits.
"""

from stream.engine.applying import MAX_AHEAD_MS, Applied
from stream.engine.engine import Engine

__all__ = ["MAX_AHEAD_MS", "Applied", "Engine"]
