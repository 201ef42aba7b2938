"""TCP ports on loopback: named on the command line, free or taken."""

from __future__ import annotations

import socket
from argparse import ArgumentTypeError

from stream.tools.console import CommandError

HOST = "127.0.0.1"
MAX_PORT = 65_535


def port_number(text: str) -> int:
    """A port from the command line.

    Raises:
        ArgumentTypeError: when it is none.
    """
    if not text.isdecimal() or int(text) > MAX_PORT:
        raise ArgumentTypeError(f"{text!r} is not a port: write a number from 0 to {MAX_PORT}")
    return int(text)


def usable_port(port: int) -> int:
    """The port itself, or a free one for 0.

    Raises:
        CommandError: when a server cannot listen there, mostly because another one does.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"port {port} cannot be used ({error.strerror}); choose another with --port"
            ) from error
        bound: int = probe.getsockname()[1]
        return bound


def listens(port: int) -> bool:
    """Whether a server takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def port_or_free(port: int) -> int:
    """The port when a server can listen there, otherwise a free one."""
    try:
        return usable_port(port)
    except CommandError:
        return usable_port(0)
