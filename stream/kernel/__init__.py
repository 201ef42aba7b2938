"""The compiled kernel, where it is installed: the inner loops of the hot path.

Every function in it has a reference in Python that does the same for all input, and that the
tests hold it against. Without a compiled kernel (no wheel, no Rust compiler when installing) the
references do all the work: slower, never different.
"""

from __future__ import annotations

from types import ModuleType

try:
    from stream.kernel import _compiled
except ImportError:  # built only where there is a compiler; `compiled` says which it is
    compiled: ModuleType | None = None
else:
    compiled = _compiled
