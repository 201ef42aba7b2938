"""What tests of the core share. ``--hypothesis-profile=thorough`` searches for long."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from stream.domain import calendar

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHECKS = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile("ci", deadline=None, max_examples=40, suppress_health_check=_CHECKS)
settings.register_profile(
    "thorough", deadline=None, max_examples=1500, suppress_health_check=_CHECKS
)
if settings.get_current_profile_name() != "thorough":
    settings.load_profile("ci")


@pytest.fixture(autouse=True, scope="session")
def time_zones_are_read_once() -> Iterator[None]:
    """A property makes hundreds of engines, and reading a time zone's rules takes 0.1 s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calendar, "_utc_offsets", functools.cache(calendar._utc_offsets))
        yield
