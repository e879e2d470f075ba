"""
The simulator: a gateway on localhost that remembers what it got and misbehaves on demand.

* ``POST /v1/messages``     take up to 100 messages (some families: one); answered one by one
* ``GET /v1/messages``      list what was got; ``?after=<number>&limit=<count>``
* ``DELETE /v1/messages``   forget it, with the receipts still to come and all counts
* ``POST /v1/lookups``      what became of messages, by id (families ``query`` and ``own_ids``)
* ``GET /v1/receipts``      receipts; ``?after=<number>&limit=<count>`` (not ``plain``, ``echo``)
* ``POST /v1/replies``      a person writes back: calls the address it is given
* ``GET /v1/counts``        messages, duplicates, requests, receipts
* ``GET /v1/rate``          the most parts in any sliding second, in all and by sender
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
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.simulator_wire import SIGNATURE_HEADER, signature_of
from smsflow_provider.simulator.behaviour import Behaviour
from smsflow_provider.simulator.carrier import Carrier
from smsflow_provider.simulator.desk import ReceiptDesk
from smsflow_provider.simulator.inbox import BATCH_LIMIT, read_batch
from smsflow_provider.simulator.reports import ASKABLE, ONE_BY_ONE, POLLABLE

#: Seconds for one receipt call, and an unanswered request stays open for the longer one.
_CALL_S = 10.0
_SILENCE_S = 3600.0
_PAGE_LIMIT = 10_000
_BODY_LIMIT_BYTES = 1 << 20
_QUESTION_LIMIT = 1000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Simulator:
    """The routes. `make_app` wires them up; `Carrier` is the gateway behind them."""

    def __init__(self, carrier: Carrier, *, api_key: str) -> None:
        self._carrier = carrier
        self._api_key = api_key

    async def live(self, _app: web.Application) -> AsyncIterator[None]:
        """Run the receipt desk as long as the application runs."""
        timeout = aiohttp.ClientTimeout(total=_CALL_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:

            async def post(url: str, body: dict[str, Any]) -> bool:
                said = self._carrier.said_in(body)
                return await _post(session, url, said, api_key=self._api_key)

            desk = ReceiptDesk(post, time_s=time.monotonic, on_due=self._carrier.note_due)
            self._carrier.open(desk)
            work = asyncio.create_task(desk.work())
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
        carrier = self._carrier
        limit = 1 if carrier.family in ONE_BY_ONE else BATCH_LIMIT
        batch = read_batch(await _json_of(request), limit=limit)
        wait_s = carrier.turned_away_s(batch)
        if wait_s > 0:
            answer = _problem(429, "too many messages in a second")
            answer.headers["Retry-After"] = str(math.ceil(wait_s))
            return answer
        behaviour, first = carrier.behaviour, batch[0].id
        how = carrier.dice.answer_of(first, time=carrier.inbox.times(first), behaviour=behaviour)
        taken = carrier.take(batch)
        await asyncio.gather(*(carrier.desk.post_now(receipt) for receipt in taken.early))
        await asyncio.sleep(behaviour.latency_s)
        return await self._answer(request, web.json_response({"messages": taken.rows}), how=how)

    async def _answer(
        self, request: web.Request, answer: web.Response, *, how: str
    ) -> web.StreamResponse:
        if how == "failed":
            self._carrier.tally["failed_answers"] += 1
            return _problem(503, "something went wrong after the messages were taken")
        if how == "lost":
            self._carrier.tally["lost_answers"] += 1
            await _lose(request, how=self._carrier.behaviour.lost_how)
        return answer

    async def look_up(self, request: web.Request) -> web.StreamResponse:
        """Tell what became of messages, by our clients' ids; only families that can be asked."""
        carrier = self._carrier
        if carrier.family not in ASKABLE:
            return _problem(404, "this family cannot be asked about messages")
        document = await _json_of(request)
        ids = document.get("ids") if isinstance(document, dict) else None
        if not isinstance(ids, list) or not 1 <= len(ids) <= _QUESTION_LIMIT:
            raise ConfigError(f"ids: must be a list of 1 to {_QUESTION_LIMIT}")
        carrier.tally["questions"] += 1
        if carrier.dice.fails_question(carrier.tally["questions"], behaviour=carrier.behaviour):
            return _problem(503, "no answer to this question")
        rows = [carrier.look_up(str(each)) for each in ids]
        await asyncio.sleep(carrier.behaviour.latency_s)
        return web.json_response({"messages": rows})

    async def poll(self, request: web.Request) -> web.StreamResponse:
        """List the receipts after a number; only families that can be polled."""
        if self._carrier.family not in POLLABLE:
            return _problem(404, "this family cannot be asked for receipts")
        after = _number_of(request, "after", default=0, most=2**53)
        limit = _number_of(request, "limit", default=1000, most=_PAGE_LIMIT)
        return web.json_response(self._carrier.poll(after=after, limit=max(1, limit)))

    async def reply(self, request: web.Request) -> web.StreamResponse:
        """Make a person write back: the given address is called at once."""
        given = await _json_of(request)
        if not isinstance(given, dict):
            raise ConfigError("a reply must be a JSON object")
        return web.json_response(self._carrier.reply(given), status=202)

    async def list_messages(self, request: web.Request) -> web.StreamResponse:
        """List what was got. ``next`` is the number to ask after; null: no more for now."""
        after = _number_of(request, "after", default=0, most=2**53)
        limit = _number_of(request, "limit", default=1000, most=_PAGE_LIMIT)
        page = self._carrier.inbox.page(after=after, limit=limit)
        following = page[-1].number if len(page) == limit and page else None
        return web.json_response({"messages": [each.as_dict() for each in page], "next": following})

    async def forget(self, _request: web.Request) -> web.StreamResponse:
        """Forget messages, receipts to come and counts; the behaviour stays."""
        self._carrier.forget()
        return web.Response(status=204)

    async def show_counts(self, _request: web.Request) -> web.StreamResponse:
        """Show every count."""
        return web.json_response(self._carrier.counts())

    async def show_rate(self, _request: web.Request) -> web.StreamResponse:
        """Show the most that came in any sliding second."""
        return web.json_response(self._carrier.rate())

    async def show_behaviour(self, _request: web.Request) -> web.StreamResponse:
        """Show the behaviour."""
        return web.json_response(self._carrier.behaviour.as_dict())

    async def change_behaviour(self, request: web.Request) -> web.StreamResponse:
        """Change what the request names, at once and for what comes next."""
        given = await _json_of(request)
        if not isinstance(given, dict):
            raise ConfigError("a behaviour must be a JSON object")
        self._carrier.behaviour = self._carrier.behaviour.changed(given)
        return web.json_response(self._carrier.behaviour.as_dict())


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
    carrier = Carrier(behaviour or Behaviour(), seed=seed, now=now, time_s=time.monotonic)
    simulator = Simulator(carrier, api_key=api_key)
    app = web.Application(middlewares=[simulator.guard], client_max_size=_BODY_LIMIT_BYTES)
    app.cleanup_ctx.append(simulator.live)
    app.add_routes(
        [
            web.get("/health", show_health),
            web.post("/v1/messages", simulator.take),
            web.get("/v1/messages", simulator.list_messages),
            web.delete("/v1/messages", simulator.forget),
            web.post("/v1/lookups", simulator.look_up),
            web.get("/v1/receipts", simulator.poll),
            web.post("/v1/replies", simulator.reply),
            web.get("/v1/counts", simulator.show_counts),
            web.get("/v1/rate", simulator.show_rate),
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


async def _post(
    session: aiohttp.ClientSession, url: str, body: dict[str, Any], *, api_key: str
) -> bool:
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if api_key:
        headers[SIGNATURE_HEADER] = signature_of(url, data, api_key=api_key)
    try:
        async with session.post(url, data=data, headers=headers, allow_redirects=False) as answer:
            return 200 <= answer.status < 300
    except (aiohttp.ClientError, OSError, ValueError):
        return False
