"""When a simulated event is due in real time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the live part goes, after a history that goes at once.

    Simulated time never overtakes the real one: an event from the future would be refused. A shop
    that catches up goes on in real time.
    """

    #: the simulated time at which the live part begins, in milliseconds since the epoch
    live_from_ms: int
    #: simulated seconds in a real second; ignored when a rate is set
    speed: float = 1.0
    #: events in a real second; None means that ``speed`` counts
    rate: float | None = None

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError("the speed must be above 0")
        if self.rate is not None and not self.rate > 0:
            raise ValueError("the rate must be above 0 events per second")

    def wait_seconds(
        self, arrival_ms: int, *, sent: int, elapsed_seconds: float, wall_ms: float
    ) -> float:
        """Seconds until an event that arrives at ``arrival_ms`` is due; 0 or less means now.

        Args:
            arrival_ms: simulated time of arrival.
            sent: live events sent so far.
            elapsed_seconds: real time since the live part began.
            wall_ms: the real time now, in milliseconds since the epoch.
        """
        if arrival_ms < self.live_from_ms:
            return 0.0
        if self.rate is None:
            due_seconds = (arrival_ms - self.live_from_ms) / 1000 / self.speed
        else:
            due_seconds = sent / self.rate
        return max(due_seconds - elapsed_seconds, (arrival_ms - wall_ms) / 1000)
