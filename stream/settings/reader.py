"""One setting at a time: its text from the environment, parsed, or one line that names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from stream.settings.secret import Secret

T = TypeVar("T")

#: A secret's file holds one line; more than that is the wrong file.
SECRET_MAX_BYTES = 4096


class SettingError(ValueError):
    """A setting that cannot be used; the message is one line that names it."""


class SettingReader:
    """Reads settings of an environment.

    Args:
        environ: the environment.
        defaults: name → (the text of a setting that is not given, its meaning).
    """

    def __init__(self, environ: Mapping[str, str], defaults: Mapping[str, tuple[str, str]]) -> None:
        self._environ = environ
        self._defaults = defaults

    def text(self, name: str) -> str:
        """The setting as given, or its default."""
        return self._environ.get(name, self._defaults[name][0])

    def read(self, name: str, parse: Callable[[str], T]) -> T:
        """The setting, parsed.

        Raises:
            SettingError: when ``parse`` raises ``ValueError``, whose message it carries on.
        """
        try:
            return parse(self.text(name))
        except ValueError as error:
            raise SettingError(f"{name}: {error}") from None

    def secret(self, name: str) -> Secret | None:
        """The setting itself, or what stands in the file that ``<name>_FILE`` names.

        Raises:
            SettingError: when both are given, or the file cannot be used. Its content is not
                in the message.
        """
        text, file_name = self.text(name), f"{name}_FILE"
        path = self.text(file_name).strip()
        if path and text:
            raise SettingError(f"{file_name}: {name} is given, too; leave out one of them")
        if path:
            text = self.read(file_name, _content)
        return Secret(text) if text else None

    def refuse(self, names: tuple[str, ...], why: str) -> None:
        """Stop when one of these is given though it can have no effect.

        Raises:
            SettingError: naming the first of them.
        """
        for name in names:
            if self.text(name).strip():
                raise SettingError(f"{name}: {why}")


def _content(path: str) -> str:
    try:
        with Path(path.strip()).open("rb") as file:
            content = file.read(SECRET_MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot read {path.strip()} ({error.strerror})") from None
    if len(content) > SECRET_MAX_BYTES:
        raise ValueError(f"{path.strip()} holds more than {SECRET_MAX_BYTES} bytes; wrong file?")
    try:
        # Editors and `echo` end the line.
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError(f"{path.strip()} is not UTF-8 text") from None
    if not text:
        raise ValueError(f"{path.strip()} is empty")
    return text
