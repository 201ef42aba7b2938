"""How much of everything, and the settings that every test here has in common."""

from __future__ import annotations

from dataclasses import dataclass

#: Longer than any history sent here: a window that holds everything.
WHOLE_HISTORY = "450d"
PARTITIONS = 6
WORKERS = 3
#: The shortest there is.
SESSION_SECONDS = 6.0
#: However slow the machine: a million events take their time.
SENDING_SECONDS = 1800.0
ENVIRON = {
    "RETENTION_PARTITIONS": str(PARTITIONS),
    "RETENTION_WINDOWS": f"7d,30d,90d,{WHOLE_HISTORY},week,month,quarter,year",
    "RETENTION_HORIZON": "900d",
    "RETENTION_DIMENSIONS": "channel,country",
    "RETENTION_TIMEZONE": "Europe/London",
    "RETENTION_SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
}


@dataclass(frozen=True, slots=True)
class Size:
    """Times are those over which the events are sent, at least; a rolling restart ends sooner."""

    events: int
    seconds: float
    kills: int
    comings_and_goings: int
    pauses: int
    outages: int
    rolling_events: int
    rolling_seconds: float


SMALL = Size(
    events=30_000,
    seconds=25.0,
    kills=4,
    comings_and_goings=3,
    pauses=1,
    outages=1,
    rolling_events=24_000,
    rolling_seconds=240.0,
)
FULL = Size(
    events=1_000_000,
    seconds=150.0,
    kills=20,
    comings_and_goings=10,
    pauses=5,
    outages=5,
    rolling_events=300_000,
    rolling_seconds=300.0,
)
