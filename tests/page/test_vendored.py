"""What is taken from others is theirs, unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.page

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / ".cache/page-assets/node_modules/uplot"
VENDORED = ROOT / "stream/publish/page/static/uplot"


@pytest.mark.parametrize(
    ("name", "packaged"),
    [
        ("uPlot.iife.min.js", "dist/uPlot.iife.min.js"),
        ("uPlot.min.css", "dist/uPlot.min.css"),
        ("LICENSE.txt", "LICENSE"),
    ],
)
def test_the_chart_library_is_that_of_the_pinned_package(name: str, packaged: str) -> None:
    assert PACKAGE.exists(), "run scripts/vendor_page_assets.sh --fetch-only"
    assert (VENDORED / name).read_bytes() == (PACKAGE / packaged).read_bytes()
