"""The worker's log, apart from what Faust's services say under the names of our modules."""

from __future__ import annotations

import logging
import sys

logger = logging.getLogger("stream.worker")


def configure_logging(level: str) -> None:
    """Log to stderr: ours from ``level`` on, the libraries' warnings, and at debug all they say."""
    logging.basicConfig(
        level=logging.INFO if level == "debug" else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
        force=True,
    )
    logger.setLevel(level.upper())
    # A flush that takes longer than its interval is no news: the next one just waits.
    logging.getLogger("mode.timers").setLevel(logging.ERROR)
