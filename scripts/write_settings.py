"""Write ``docs/settings.md`` from the settings' defaults: ``python scripts/write_settings.py``."""

from __future__ import annotations

import re
from pathlib import Path

from stream.settings import DEFAULTS

TARGET = Path(__file__).parents[1] / "docs" / "settings.md"

HEAD = """\
# Settings

Environment variables. A bad one stops the program at start with one line that names it.
`retention-stream --help` prints the same list.

<!-- written by scripts/write_settings.py -->

| setting | default | meaning |
|---|---|---|
"""

TAIL = """
## Worth knowing

- **Durations and windows** are a whole number and `m`, `h`, `d` or `w`: `15m`, `30d`. Windows may
  also be `day`, `week`, `month`, `quarter` or `year`. Rolling windows are whole numbers of buckets.
- **`RETENTION_HORIZON`** is at least twice the longest rolling window.
- **`RETENTION_PARTITIONS`** is that of all topics. Settle it before the first event: a customer's
  partition depends on it.
- **`RETENTION_DIMENSIONS`**: at most 8. Each costs memory and time for every event.
- **`RETENTION_EXPERIMENT`** is one of `RETENTION_DIMENSIONS`, such as `variant`: see
  [experiments](metrics.md#experiments).
- **`RETENTION_ID_KEY`** may not change over the same state, nor come or go: the worker says so and
  ends. See [pseudonyms](security.md#pseudonyms).
- **`RETENTION_APP_ID`** names the state. A new one replays the topics from their beginning.
- **`RETENTION_COMMIT_INTERVAL_SECONDS`**: longer writes less to the changelog, as a customer who
  changed several times is written once; shorter means less to read again after a crash.
- **`RETENTION_DIALECT_...`**: see [events in other forms](events.md#events-in-other-forms). With
  one form named, records are translated at once instead of being tried as canonical events first.
- **Secrets** are taken from the environment or from a file, never from the command line, and are
  shown nowhere. Of a setting and its `_FILE` only one may be given.
- **`RETENTION_KAFKA_...`, `RETENTION_REDIS_...`, `RETENTION_WEB_TOKEN`**: see
  [secure connections](security.md).
- **`RETENTION_WEB_HOST`**: without `RETENTION_WEB_TOKEN` whoever reaches the address can read.
- **`RETENTION_STAGE_...`**: see [lifecycle.md](lifecycle.md).
- **`RETENTION_DATA_DIR`**: the worker keeps nothing on disk. The demo puts its logs there.
"""


def document() -> str:
    """The whole page."""
    rows = [
        f"| `{name}` | {f'`{default}`' if default else 'empty'} | {_meaning(text)} |\n"
        for name, (default, text) in DEFAULTS.items()
    ]
    return HEAD + "".join(rows) + TAIL


def _meaning(text: str) -> str:
    """The help's text, with addresses as code: their brackets would read as a link."""
    return re.sub(r"(host:port\S*)", r"`\1`", text)


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
    print(f"wrote {TARGET}")
