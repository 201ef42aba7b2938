"""The profile of the properties, and time zones read once."""

from __future__ import annotations

from tests.support.core_fixtures import time_zones_are_read_once

__all__ = ["time_zones_are_read_once"]
