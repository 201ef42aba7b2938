"""What the oracle has to be told, and how that gets into the SQL."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MS_PER_UNIT = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
CALENDAR_UNITS = ("day", "week", "month", "quarter", "year")


class OracleError(ValueError):
    """Something the oracle cannot work with; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class LifecycleParameters:
    """When time changes a customer's stage; as by default.

    Attributes:
        new_ms: how long after its first order a customer is new.
        at_risk_factor_hundredths: at risk after so many hundredths of its median interval.
        at_risk_least_ms: but not sooner than that.
        typical_interval_ms: stands for the interval of who has fewer than three orders.
        lapsed_ms: lapsed after that long without an order.
    """

    new_ms: int = 30 * MS_PER_UNIT["d"]
    at_risk_factor_hundredths: int = 200
    at_risk_least_ms: int = 7 * MS_PER_UNIT["d"]
    typical_interval_ms: int = 45 * MS_PER_UNIT["d"]
    lapsed_ms: int = 365 * MS_PER_UNIT["d"]


@dataclass(frozen=True, slots=True)
class OracleParameters:
    """The settings that decide the numbers, as plain values.

    Attributes:
        windows: names, such as ``30d`` or ``month``.
        dimensions: names of the attributes to break every metric down by.
        timezone: IANA name; decides the days of calendar windows.
        bucket_ms: the unit of time of rolling windows.
        horizon_ms: how far behind "as of" an event may be on arrival.
        clock: whether "as of" is the greatest event time (``event``) or the clock (``wall``).
        now_ms: the clock; events more than 24 hours after it are not usable.
        as_of_ms: the moment to compute for; None: what ``clock`` says, at the end of the events.
        experiment: the dimension whose segments are variants of an experiment; empty for none.
        control: the variant to compare the others with.
        lifecycle: when time changes a customer's stage.
    """

    windows: tuple[str, ...]
    dimensions: tuple[str, ...]
    timezone: str
    bucket_ms: int
    horizon_ms: int
    clock: Literal["event", "wall"]
    now_ms: int
    as_of_ms: int | None = None
    experiment: str = ""
    control: str = "control"
    lifecycle: LifecycleParameters = field(default_factory=LifecycleParameters)


def sql_steps(parameters: OracleParameters) -> Iterator[tuple[str, str]]:
    """The SQL in order of execution, values filled in: (file name, text).

    Raises:
        OracleError: when a window's name cannot be understood.
    """
    files = (entry for entry in resources.files(__package__).iterdir() if entry.name[-4:] == ".sql")
    for entry in sorted(files, key=lambda entry: entry.name):
        text = entry.read_text(encoding="utf-8")
        if entry.name == "01_settings.sql":
            text = Template(text).substitute(_values(parameters))
        yield entry.name, text


def write_sql(folder: Path, parameters: OracleParameters) -> list[Path]:
    """Write the SQL with its values into ``folder``, to be run elsewhere; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in sql_steps(parameters):
        path = folder / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _values(parameters: OracleParameters) -> dict[str, str]:
    as_of_ms = parameters.as_of_ms
    return {
        **{name: str(value) for name, value in asdict(parameters.lifecycle).items()},
        "clock": _quoted(parameters.clock),
        "timezone": _quoted(parameters.timezone),
        "bucket_ms": str(parameters.bucket_ms),
        "horizon_ms": str(parameters.horizon_ms),
        "now_ms": str(parameters.now_ms),
        "given_as_of_ms": "NULL" if as_of_ms is None else str(as_of_ms),
        "windows": ",\n    ".join(
            _window_row(name, parameters.bucket_ms) for name in parameters.windows
        ),
        "experiment": _quoted(parameters.experiment),
        "control": _quoted(parameters.control),
        "dimensions": f"[{', '.join(map(_quoted, parameters.dimensions))}]",
    }


def _window_row(name: str, bucket_ms: int) -> str:
    if name in CALENDAR_UNITS:
        return f"({_quoted(name)}, {_quoted(name)}, NULL)"
    match = re.fullmatch(r"([0-9]+)([mhdw])", name)
    if match is None or int(match[1]) * MS_PER_UNIT[match[2]] % bucket_ms:
        raise OracleError(f"window {name!r} is neither a calendar unit nor whole buckets of time")
    return f"({_quoted(name)}, NULL, {int(match[1]) * MS_PER_UNIT[match[2]] // bucket_ms})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
