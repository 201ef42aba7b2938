"""Who may read: callers that show the token, when one is set."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from stream.settings import Secret

#: Orchestrators probe without credentials, and learn no number from it.
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
REFUSAL = "401: show the token of RETENTION_WEB_TOKEN (Authorization: Bearer TOKEN)\n"


def guard(token: Secret) -> Middleware:
    """Let only those in who show the token; others get 401, also where there is no page.

    It is shown as ``Authorization: Bearer``, or as the password of ``Basic`` with any user,
    because that is what a browser can ask a person for.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        shown = _shown(request.headers.get(hdrs.AUTHORIZATION, ""))
        if request.path in OPEN_PATHS or (shown is not None and token.matches(shown)):
            return await handler(request)
        response = web.Response(text=REFUSAL, status=401)
        for scheme in ("Bearer", "Basic"):
            response.headers.add(hdrs.WWW_AUTHENTICATE, f'{scheme} realm="retention-stream"')
        return response

    return check


def _shown(header: str) -> str | None:
    """The token in an Authorization header; None when there is none."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(credentials.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            return None
        return decoded.partition(":")[2]
    return None
