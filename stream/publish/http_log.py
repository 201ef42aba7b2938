"""The HTTP side's log: what a client sent stays out of it, as it may hold a customer's id."""

from __future__ import annotations

import logging

from aiohttp.http_exceptions import HttpProcessingError

logger = logging.getLogger("stream.worker.http")


class _WithoutRequests(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            # Its message quotes the request.
            record.msg = f"{record.msg}: not HTTP ({type(error).__name__})"
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


logger.addFilter(_WithoutRequests())
