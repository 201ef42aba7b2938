from __future__ import annotations

import hashlib
import json
from pathlib import Path

from stream.publish.page.assets import ASSETS

ROOT = Path(__file__).parents[2]


def test_the_chart_library_is_as_it_was_vendored() -> None:
    lines = ASSETS["/static/uplot/SHA256SUMS.txt"].body.decode().splitlines()
    sums = {name: expected for expected, name in map(str.split, lines)}

    assert set(sums) == {"LICENSE.txt", "uPlot.iife.min.js", "uPlot.min.css"}
    for name, expected in sums.items():
        assert hashlib.sha256(ASSETS[f"/static/uplot/{name}"].body).hexdigest() == expected


def test_the_chart_library_has_the_version_that_is_locked_with_its_hash() -> None:
    lock = json.loads((ROOT / "scripts/page-assets/package-lock.json").read_text(encoding="utf-8"))
    locked = lock["packages"]["node_modules/uplot"]

    assert locked["integrity"].startswith("sha512-")
    assert (
        f"(v{locked['version']})" in ASSETS["/static/uplot/uPlot.iife.min.js"].body[:200].decode()
    )


def test_the_licence_of_the_chart_library_goes_with_it() -> None:
    assert b"MIT" in ASSETS["/static/uplot/LICENSE.txt"].body[:100]
