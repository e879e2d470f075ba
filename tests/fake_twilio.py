"""Twilio's Messages resource on a thread of its own, as its documentation describes it."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from smsflow_provider.core.clock import utc_now

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "a-token"
KEY, KEY_SECRET = "SK" + "0123456789abcdef" * 2, "a-key-secret"

#: Numbers that Twilio refuses, and with which code.
REFUSED = {"+447700900211": 21211, "+447700900610": 21610, "+447700900660": 21660}
#: The message is taken, and the connection breaks before the answer.
LOST_ANSWER = "+447700900500"
#: The connection breaks and nothing was taken.
LOST_REQUEST = "+447700900501"
#: Too many requests.
BUSY = "+447700900429"


@dataclass
class FakeTwilio:
    """Use it as a context manager; it serves on a free port of 127.0.0.1."""

    #: The messages it has taken, as its list shows them.
    messages: list[dict[str, Any]] = field(default_factory=list)
    #: The forms of all hand-overs, taken or not.
    forms: list[dict[str, str]] = field(default_factory=list)
    status: str = "active"
    url: str = ""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> str:
        app = web.Application()
        place = "/2010-04-01/Accounts/{account}"
        app.router.add_post(f"{place}/Messages.json", self._create)
        app.router.add_get(f"{place}/Messages.json", self._list)
        app.router.add_get(f"{place}.json", self._account)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if refusal := self._refusal(request):
            return refusal
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        to = form["To"]
        if to == LOST_REQUEST:
            return _broken(request)
        if to == BUSY:
            return _error(20429, status=429, headers={"Retry-After": "7"})
        if to in REFUSED:
            return _error(REFUSED[to], status=400)
        made = self._made(form)
        self.messages.insert(0, made)
        return _broken(request) if to == LOST_ANSWER else web.json_response(made, status=201)

    def _made(self, form: Mapping[str, str]) -> dict[str, Any]:
        return {
            "sid": f"SM{len(self.messages):032x}",
            "account_sid": ACCOUNT,
            "direction": "outbound-api",
            "to": form["To"],
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "body": form["Body"],
            "status": "queued",
            "error_code": None,
            "date_created": format_datetime(utc_now().replace(microsecond=0)),
            "date_sent": None,
        }

    async def _list(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        size = int(request.query.get("PageSize", "50"))
        to = request.query.get("To")
        found = [each for each in self.messages if to in {None, each["to"]}]
        more = "/next" if len(found) > size else None
        return web.json_response({"messages": found[:size], "next_page_uri": more})

    async def _account(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request, is_key_enough=False):
            return refusal
        return web.json_response({"sid": ACCOUNT, "status": self.status})

    def _refusal(self, request: web.Request, *, is_key_enough: bool = True) -> web.Response | None:
        logins = {f"{ACCOUNT}:{TOKEN}"} | ({f"{KEY}:{KEY_SECRET}"} if is_key_enough else set())
        allowed = {f"Basic {base64.b64encode(each.encode()).decode()}" for each in logins}
        if request.headers.get("Authorization") not in allowed:
            return _error(20003, status=401)
        if request.match_info["account"] != ACCOUNT:
            return _error(20404, status=404)
        return None


def _error(code: int, *, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {"code": code, "message": "...", "more_info": "...", "status": status}
    return web.json_response(body, status=status, headers=headers)


def _broken(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
