"""The files for TLS connections, whoever is at the other end."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.settings.reader import SettingError
from stream.settings.values import optional_path

if TYPE_CHECKING:
    from stream.settings.reader import SettingReader


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files, by path.

    Attributes:
        settings: what the names of their settings begin with, like ``RETENTION_KAFKA``.
        ca: the authorities to trust; None trusts those of the system.
        certificate: of this client, for servers that ask for one.
        key: of the certificate; None when it stands in the certificate's file.
    """

    settings: str
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    def context(self) -> ssl.SSLContext:
        """A new context that checks the server's certificate and its host name.

        Raises:
            SettingError: when a file cannot be used.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError as error:
            raise SettingError(f"{self.settings}_CA_FILE: {_why(self.ca, error)}") from None
        if self.certificate is not None:
            try:
                context.load_cert_chain(self.certificate, self.key, password=_no_passphrase)
            except (OSError, ValueError) as error:
                names = f"{self.settings}_CERT_FILE"
                if self.key is not None:
                    names += f", {self.settings}_KEY_FILE"
                files = " and ".join(filter(None, (self.certificate, self.key)))
                raise SettingError(f"{names}: {_why(files, error)}") from None
        return context


def load_tls(reader: SettingReader, settings: str) -> TlsFiles:
    """The files the settings that begin with ``settings`` name, tried out.

    Raises:
        SettingError: for a file that cannot be used, or a key without a certificate.
    """
    ca, certificate, key = (reader.read(name, optional_path) for name in tls_names(settings))
    if key is not None and certificate is None:
        raise SettingError(f"{settings}_CERT_FILE: missing; {settings}_KEY_FILE is the key to it")
    files = TlsFiles(settings, ca, certificate, key)
    # Now rather than at the first connection.
    files.context()
    return files


def tls_names(settings: str) -> tuple[str, str, str]:
    """The settings of the authorities, the certificate and the key."""
    return (f"{settings}_CA_FILE", f"{settings}_CERT_FILE", f"{settings}_KEY_FILE")


def _why(files: str | None, error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        return f"cannot read {files} ({error.strerror})"
    return (
        f"{files} cannot be used ({error}); it takes PEM files, and a key without a passphrase "
        "that belongs to its certificate"
    )


def _no_passphrase() -> str:
    # Without this OpenSSL would ask on the terminal.
    raise ValueError("the key has a passphrase")
