"""How to reach Redis: its address without secrets in it, TLS and the login."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import SplitResult, unquote, urlsplit

from stream.settings.reader import SettingError
from stream.settings.secret import Secret
from stream.settings.tls import TlsFiles, load_tls, tls_names

if TYPE_CHECKING:
    from stream.settings.reader import SettingReader

PREFIX = "RETENTION_REDIS"


class RedisClientOptions(TypedDict, total=False):
    """Keyword arguments of ``redis.Redis.from_url`` and its asyncio twin."""

    username: str
    password: str
    ssl_ca_certs: str
    ssl_certfile: str
    ssl_keyfile: str


@dataclass(frozen=True, slots=True)
class RedisConnection:
    """Where Redis is and how to come in.

    Attributes:
        url: ``redis://``, ``rediss://`` (TLS) or ``unix://``, without user and password; empty
            when there is no Redis.
        user: empty for Redis' default user.
        password: None for none.
        tls: None for a connection in the clear.
    """

    url: str = ""
    user: str = ""
    password: Secret | None = None
    tls: TlsFiles | None = None

    def client_options(self) -> RedisClientOptions:
        """What to give a client besides the URL: ``Redis.from_url(url, **client_options())``.

        Certificates and host names are checked; that is the client's default.
        """
        options: RedisClientOptions = {}
        if self.user:
            options["username"] = self.user
        if self.password is not None:
            options["password"] = self.password.reveal()
        if self.tls is not None:
            if self.tls.ca is not None:
                options["ssl_ca_certs"] = self.tls.ca
            if self.tls.certificate is not None:
                options["ssl_certfile"] = self.tls.certificate
                options["ssl_keyfile"] = self.tls.key or self.tls.certificate
        return options


def load_redis(reader: SettingReader) -> RedisConnection:
    """The connection the settings describe.

    Raises:
        SettingError: for a setting that is bad, missing, or without effect.
    """
    address = reader.read(f"{PREFIX}_URL", _address)
    if address is None:
        reader.refuse(
            (f"{PREFIX}_PASSWORD", f"{PREFIX}_PASSWORD_FILE", *tls_names(PREFIX)),
            f"has no effect without {PREFIX}_URL",
        )
        return RedisConnection()
    has_tls = address.scheme == "rediss"
    if not has_tls:
        reader.refuse(
            tls_names(PREFIX),
            f"has no effect without TLS; leave it out, or begin {PREFIX}_URL with rediss://",
        )
    return RedisConnection(
        url=f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}",
        user=unquote(address.username or ""),
        password=_password(reader, address),
        tls=load_tls(reader, PREFIX) if has_tls else None,
    )


def _password(reader: SettingReader, address: SplitResult) -> Secret | None:
    password = reader.secret(f"{PREFIX}_PASSWORD")
    if address.password:
        if password is not None:
            raise SettingError(
                f"{PREFIX}_PASSWORD: {PREFIX}_URL holds one, too; leave out one of them"
            )
        return Secret(unquote(address.password))
    if address.username and password is None:
        raise SettingError(f"{PREFIX}_PASSWORD: missing; {PREFIX}_URL names a user")
    return password


def _address(text: str) -> SplitResult | None:
    """The URL in its parts. It may hold a password, so no message repeats it."""
    if not text.strip():
        return None
    try:
        address = urlsplit(text.strip())
        _ = address.port
    except ValueError:
        raise ValueError("is not an address like redis://host:6379/0") from None
    if address.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must begin with redis://, rediss:// or unix://")
    if address.query or address.fragment:
        raise ValueError("must end after the path: leave out ? or #, and in a password write %3F")
    if address.scheme == "unix":
        if not address.path:
            raise ValueError("needs the path of the socket, like unix:///run/redis.sock")
    elif not address.hostname or not (address.path.strip("/") or "0").isdecimal():
        raise ValueError("is not redis://host:port/number")
    return address
