"""
The simulator: a gateway on localhost that remembers what it got and misbehaves on demand.

* ``POST /v1/messages``     take up to 100 messages; answered one by one
* ``GET /v1/messages``      list what was got; ``?after=<number>&limit=<count>``
* ``DELETE /v1/messages``   forget it, with the receipts still to come and all counts
* ``GET /v1/counts``        messages, duplicates, requests, receipts
* ``GET|PUT /v1/behaviour`` how it behaves; PUT changes what it names
* ``GET /health``           no key needed
"""

from __future__ import annotations

import asyncio
import errno
import hmac
import json
import math
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.simulator.behaviour import Behaviour, Dice
from smsflow_provider.simulator.desk import DueReceipt, ReceiptDesk
from smsflow_provider.simulator.inbox import Inbox, SubmittedMessage, Taken, read_batch
from smsflow_provider.simulator.throttle import Throttle

#: Seconds for one receipt call, and an unanswered request stays open for the longer one.
_CALL_S = 10.0
_SILENCE_S = 3600.0
_PAGE_LIMIT = 10_000
_BODY_LIMIT_BYTES = 1 << 20

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Simulator:
    """The routes and their state. `make_app` wires it up."""

    def __init__(
        self, behaviour: Behaviour, *, api_key: str, seed: int, now: Callable[[], datetime]
    ) -> None:
        self._behaviour = behaviour
        self._api_key = api_key
        self._dice = Dice(seed)
        self._now = now
        self._inbox = Inbox()
        self._throttle = Throttle()
        self._counts: Counter[str] = Counter()
        self._desk: ReceiptDesk | None = None

    async def live(self, _app: web.Application) -> AsyncIterator[None]:
        """Run the receipt desk as long as the application runs."""
        timeout = aiohttp.ClientTimeout(total=_CALL_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            time_s = asyncio.get_running_loop().time
            self._desk = ReceiptDesk(lambda url, body: _post(session, url, body), time_s=time_s)
            work = asyncio.create_task(self._desk.work())
            yield
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the key, and turn what is wrong with a request into a 400."""
        if request.path != "/health" and not self._is_allowed(request):
            return _problem(401, "the API key is missing or wrong")
        try:
            return await handler(request)
        except ConfigError as error:
            return _problem(400, error.problem, **error.facts)

    def _is_allowed(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        wanted = f"Bearer {self._api_key}"
        return not self._api_key or hmac.compare_digest(given.encode(), wanted.encode())

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Take a batch, unless it is throttled, and answer as the behaviour says."""
        batch = read_batch(await _json_of(request))
        behaviour = self._behaviour
        self._counts["requests"] += 1
        now_s = asyncio.get_running_loop().time()
        wait_s = self._throttle.wait_s(len(batch), limit=behaviour.messages_per_s, now_s=now_s)
        if wait_s > 0:
            self._counts["throttled"] += 1
            answer = _problem(429, "too many messages in a second")
            answer.headers["Retry-After"] = str(math.ceil(wait_s))
            return answer
        time = self._inbox.times(batch[0].id)
        how = self._dice.answer_of(batch[0].id, time=time, behaviour=behaviour)
        answer = web.json_response({"messages": [self._take_one(each) for each in batch]})
        await asyncio.sleep(behaviour.latency_s)
        return await self._answer(request, answer, how=how)

    def _take_one(self, message: SubmittedMessage) -> dict[str, object]:
        time = self._inbox.times(message.id)
        behaviour = self._behaviour
        fate = self._dice.fate_of(message.id, to=message.to, time=time, behaviour=behaviour)
        status = "refused" if fate.is_refused else "accepted"
        taken = self._inbox.put(message, status=status, taken_at=self._now().isoformat())
        for delay_s, says in fate.receipts:
            self._report_later(taken, says=says, delay_s=delay_s)
        code = "number_denied" if fate.is_refused else ""
        return {"id": message.id, "status": status, "code": code, "ref": taken.ref}

    def _report_later(self, taken: Taken, *, says: str, delay_s: float) -> None:
        url = taken.message.callback_url
        if url is None:
            return
        code = "absent_subscriber" if says == "undelivered" else ""
        body = {"id": taken.message.id, "status": says, "code": code, "ref": taken.ref}
        self._open_desk.put(DueReceipt(url=url, body=body), delay_s=delay_s)

    async def _answer(
        self, request: web.Request, answer: web.Response, *, how: str
    ) -> web.StreamResponse:
        if how == "failed":
            self._counts["failed_answers"] += 1
            return _problem(503, "something went wrong after the messages were taken")
        if how == "lost":
            self._counts["lost_answers"] += 1
            await _lose(request, how=self._behaviour.lost_how)
        return answer

    async def list_messages(self, request: web.Request) -> web.StreamResponse:
        """List what was got. ``next`` is the number to ask after; null: no more for now."""
        after = _number_of(request, "after", default=0, most=2**53)
        limit = _number_of(request, "limit", default=1000, most=_PAGE_LIMIT)
        page = self._inbox.page(after=after, limit=limit)
        following = page[-1].number if len(page) == limit and page else None
        return web.json_response({"messages": [each.as_dict() for each in page], "next": following})

    async def forget(self, _request: web.Request) -> web.StreamResponse:
        """Forget messages, receipts to come and counts; the behaviour stays."""
        self._inbox.clear()
        self._open_desk.clear()
        self._counts.clear()
        self._throttle = Throttle()
        return web.Response(status=204)

    async def show_counts(self, _request: web.Request) -> web.StreamResponse:
        """Show every count."""
        names = ("requests", "throttled", "lost_answers", "failed_answers")
        own = {name: self._counts[name] for name in names}
        return web.json_response({**self._inbox.counts(), **own, **self._open_desk.counts()})

    async def show_behaviour(self, _request: web.Request) -> web.StreamResponse:
        """Show the behaviour."""
        return web.json_response(self._behaviour.as_dict())

    async def change_behaviour(self, request: web.Request) -> web.StreamResponse:
        """Change what the request names, at once and for what comes next."""
        given = await _json_of(request)
        if not isinstance(given, dict):
            raise ConfigError("a behaviour must be a JSON object")
        self._behaviour = self._behaviour.changed(given)
        return web.json_response(self._behaviour.as_dict())

    @property
    def _open_desk(self) -> ReceiptDesk:
        if self._desk is None:
            raise ConfigError("the simulator is not running")
        return self._desk


async def show_health(_request: web.Request) -> web.StreamResponse:
    """Say that it is there."""
    return web.json_response({"status": "ok"})


def make_app(
    behaviour: Behaviour | None = None,
    *,
    api_key: str = "",
    seed: int = 0,
    now: Callable[[], datetime] = utc_now,
) -> web.Application:
    """
    Make the application. It starts with an empty inbox and opens nothing.

    Args:
        behaviour: How it behaves at first; None: as it does by default.
        api_key: Wanted as ``Authorization: Bearer …``; empty: none is.
        seed: Of all that is left to chance.
        now: The clock.
    """
    simulator = Simulator(behaviour or Behaviour(), api_key=api_key, seed=seed, now=now)
    app = web.Application(middlewares=[simulator.guard], client_max_size=_BODY_LIMIT_BYTES)
    app.cleanup_ctx.append(simulator.live)
    app.add_routes(
        [
            web.get("/health", show_health),
            web.post("/v1/messages", simulator.take),
            web.get("/v1/messages", simulator.list_messages),
            web.delete("/v1/messages", simulator.forget),
            web.get("/v1/counts", simulator.show_counts),
            web.get("/v1/behaviour", simulator.show_behaviour),
            web.put("/v1/behaviour", simulator.change_behaviour),
        ]
    )
    return app


def listen(host: str, port: int) -> socket.socket:
    """
    Bind a listening socket; port 0 takes any free one.

    Raises:
        ConfigError: The port is taken, or the address is not one of this machine.
    """
    try:
        return socket.create_server((host, port), backlog=512)
    except OSError as error:
        words = {
            errno.EADDRINUSE: "the port is taken: stop what listens there, or choose another",
            errno.EACCES: "the port may not be used: choose one above 1023",
        }
        problem = words.get(error.errno or 0, "cannot listen there")
        raise ConfigError(problem, host=host, port=port) from error


def run(app: web.Application, *, listening: socket.socket) -> None:
    """Serve *app* until SIGINT or SIGTERM. For the main thread."""
    web.run_app(
        app,
        sock=listening,
        print=None,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=1.0,
    )


async def _json_of(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError:
        problem = ConfigError("the body is not JSON")
    raise problem


def _number_of(request: web.Request, name: str, *, default: int, most: int) -> int:
    given = request.query.get(name, str(default))
    if not (given.isascii() and given.isdigit() and int(given) <= most):
        raise ConfigError(f"{name}: must be a whole number from 0 to {most}")
    return int(given)


def _problem(status: int, problem: str, **facts: object) -> web.Response:
    return web.json_response({"problem": problem, **facts}, status=status)


async def _lose(request: web.Request, *, how: str) -> None:
    """Keep the answer from reaching the client."""
    if how == "silence":
        await asyncio.sleep(_SILENCE_S)
    transport = request.transport
    if transport is None:
        return
    if how == "reset":
        own: socket.socket = transport.get_extra_info("socket")
        # Closing with a linger of zero seconds makes the kernel send a reset.
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _post(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> bool:
    try:
        async with session.post(url, json=body, allow_redirects=False) as answer:
            return 200 <= answer.status < 300
    except (aiohttp.ClientError, OSError, ValueError):
        return False
