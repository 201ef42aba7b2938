"""The page's files: read once at the start, so that a request never touches the disk."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}


class Asset(NamedTuple):
    """A file and what it is."""

    body: bytes
    content_type: str


def _assets(folder: Traversable, path: str) -> Iterator[tuple[str, Asset]]:
    for each in folder.iterdir():
        below = f"{path}/{each.name}"
        if each.is_dir():
            yield from _assets(each, below)
        else:
            suffix = each.name[each.name.rindex(".") :]
            yield below, Asset(each.read_bytes(), _TYPES[suffix])


#: By path of the request.
ASSETS = dict(_assets(files(__name__.rpartition(".")[0]).joinpath("static"), "/static"))
