"""Figures in a page of the docs: what a command measured goes between its own two marks."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PERFORMANCE = DOCS / "performance.md"
END = "<!-- end of figures -->"


def mark_of(command: str) -> str:
    """The line before the figures of a command."""
    return f"<!-- figures: written by `{command}` -->"


def write(command: str, text: str, page: Path = PERFORMANCE) -> None:
    """Put the figures of a command in their place.

    Raises:
        ValueError: when the page has no place for them.
    """
    before, mark, rest = page.read_text(encoding="utf-8").partition(mark_of(command))
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError(f"{page.name} has no place for the figures of {command}")
    page.write_text(f"{before}{mark}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
