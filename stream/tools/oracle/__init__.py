"""The oracle: every metric recomputed from the raw events, in one batch, with plain SQL.

It answers one question: what should the worker's gauges say? To be worth asking, it shares no
code with the worker, reads nothing but the events, and counts the obvious way: put every order
into every window it falls in, then group and count. The SQL files beside this module are the
whole computation, in the order of their names, and are written to be read.
"""

from stream.tools.oracle.comparison import (
    Difference,
    broken_identities,
    compare,
    count_compared,
)
from stream.tools.oracle.oracle import (
    Recomputed,
    Sample,
    StageChange,
    expected,
    recompute,
    stage_changes,
)
from stream.tools.oracle.parameters import (
    LifecycleParameters,
    OracleError,
    OracleParameters,
    write_sql,
)

__all__ = [
    "Difference",
    "LifecycleParameters",
    "OracleError",
    "OracleParameters",
    "Recomputed",
    "Sample",
    "StageChange",
    "broken_identities",
    "compare",
    "count_compared",
    "expected",
    "recompute",
    "stage_changes",
    "write_sql",
]
