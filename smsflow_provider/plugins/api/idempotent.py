"""
Writes that may be asked for twice: the header ``Idempotency-Key`` names one press of a button.

The same request of the same person under the same key is done once within a day: the second time
it gets the answer of the first, with ``Idempotency-Replayed: true``. The key with another body or
another address is a 422, and while the first is under way a 409.

Only what was done is remembered: a 200 or a 201. Anything else changed nothing, or waits for the
same request (202, 5xx), so the key is free again. A process that died leaves its key taken for a
minute; then the same request is done once more. So every write here bears being done twice by
itself: it follows a version or a fingerprint, or puts on a list what is on it already.

Rights are looked at when it is done, not when its answer is told again: who gets it had it before.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Annotated, Any, Final, TypeVar

import structlog
from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
from fastapi import Header, HTTPException
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.requests import (
    Asked,
    Claim,
    answer_request,
    begin_request,
    release_request,
)
from smsflow_provider.hooks.find_store import find_store
from smsflow_provider.plugins.api.access import actor_of

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
#: Characters of a key.
KEY_LIMIT: Final = 255
#: The header where it must be there: the route keeps by itself what was done under the key.
Key = Annotated[
    str,
    Header(
        alias=HEADER,
        min_length=1,
        max_length=KEY_LIMIT,
        description="Names this act: the same request again sends nothing again",
    ),
]
_DONE: Final = frozenset({200, 201})
_ASKS_ONLY: Final = "smsflow_asks_only"
_PARAMETER: Final = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Names this act: the same request again does nothing again, for a day",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LIMIT},
}

log = structlog.get_logger(__name__)

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def asks_only(endpoint: _Endpoint) -> _Endpoint:
    """Mark a route that has a body and changes nothing: no answer of it is remembered."""
    setattr(endpoint, _ASKS_ONLY, True)
    return endpoint


class IdempotentRoute(APIRoute):
    """A route whose writes may carry a key. Routes that read are left as they are."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        self.is_write = bool(set(more.get("methods") or ["GET"]) - {"GET", "HEAD"}) and not getattr(
            endpoint, _ASKS_ONLY, False
        )
        if self.is_write:
            more["openapi_extra"] = _with_key(more.get("openapi_extra") or {})
        super().__init__(path, endpoint, **more)

    def get_route_handler(self) -> _Handler:
        """Wrap what FastAPI makes of the endpoint."""
        handler = super().get_route_handler()
        return _once(handler) if self.is_write else handler


def _with_key(extra: dict[str, Any]) -> dict[str, Any]:
    # A route inside a router is made again when the router is included.
    others = [each for each in extra.get("parameters", []) if each.get("name") != HEADER]
    return {**extra, "parameters": [*others, _PARAMETER]}


def _once(handler: _Handler) -> _Handler:
    async def answer(request: Request) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return await handler(request)
        # A login comes before anything else is said.
        user = await get_user(request, None, await bearer_scheme(request))
        if not (1 <= len(key) <= KEY_LIMIT and key.isprintable()):
            raise HTTPException(422, f"{HEADER} has 1 to {KEY_LIMIT} characters that can be seen")
        asked = Asked(
            actor=actor_of(user),
            key=key,
            route=f"{request.method} {request.url.path}?{request.url.query}",
            body_hash=sha256(await request.body()).digest(),
        )
        store = await asyncio.to_thread(find_store)
        return await _answer_once(store, asked, lambda: handler(request))

    return answer


async def _answer_once(
    store: Store, asked: Asked, act: Callable[[], Coroutine[Any, Any, Response]]
) -> Response:
    begun = await asyncio.to_thread(begin_request, store, asked)
    if not isinstance(begun, Claim):
        if not begun.is_same:
            raise HTTPException(422, f"this {HEADER} was used for another request: take a new one")
        if begun.status is None:
            raise HTTPException(409, "this very request is under way: ask again in a moment")
        return JSONResponse(begun.answer, status_code=begun.status, headers={REPLAYED: "true"})
    try:
        response = await act()
    except Exception:
        await _settle(release_request, store, begun)
        raise
    body = getattr(response, "body", None)
    if response.status_code not in _DONE or not body:
        await _settle(release_request, store, begun)
        return response
    await _settle(
        answer_request, store, begun, status=response.status_code, answer=json.loads(body)
    )
    return response


async def _settle(settle: Callable[..., None], store: Store, claim: Claim, **facts: Any) -> None:
    """Say what became of a claim. The write is done: that this fails is no answer to it."""
    try:
        await asyncio.to_thread(settle, store, claim, **facts)
    except Exception as error:  # noqa: BLE001  the key is free again in a minute
        log.warning("An answer could not be remembered", cause=type(error).__name__)
