"""A simulator that runs in this process, for tests and demos."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.gateways.simulator import SimulatorSettings
from smsflow_provider.simulator.behaviour import Behaviour
from smsflow_provider.simulator.server import listen, make_app


class RunningSimulator:
    """
    The simulator on a thread of its own and a port of its own, at 127.0.0.1.

    Use it as a context manager; it is listening when the block begins, and gone, with its
    thread, when it ends. Its methods block and may be called from any thread.

    Args:
        behaviour: How it behaves at first.
        api_key: The key it wants; empty: none.
        seed: Of what is left to chance.
    """

    def __init__(
        self, behaviour: Behaviour | None = None, *, api_key: str = "", seed: int = 0
    ) -> None:
        self._behaviour = behaviour
        self._family = (behaviour or Behaviour()).family
        self._api_key = api_key
        self._seed = seed
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        """Start it and wait until it listens."""
        self._socket = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread.start()
        if not self._ready.wait(timeout=30):
            raise TimeoutError("the simulator did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it and wait for its thread."""
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=30)

    @property
    def settings(self) -> SimulatorSettings:
        """Settings of a connection to it, for the family it plays now."""
        key = Secret(self._api_key)
        return SimulatorSettings(base_url=self.url, password=key, family=self._family)

    def behave(self, **changed: object) -> None:
        """Change its behaviour from now on."""
        self._family = self._call("PUT", "/v1/behaviour", changed)["family"]

    def counts(self) -> dict[str, int]:
        """Its counts."""
        counts: dict[str, int] = self._call("GET", "/v1/counts")
        return counts

    def rate(self) -> dict[str, Any]:
        """Tell the most parts that came in any sliding second: ``all``, and ``senders`` by name."""
        parts: dict[str, Any] = self._call("GET", "/v1/rate")["parts"]
        return parts

    def reply(self, url: str, *, sender: str, recipient: str, text: str, ref: str = "") -> str:
        """Make a person write back: *url* is called at once. Returns the reply's id."""
        given = {"url": url, "from": sender, "to": recipient, "text": text}
        answer = self._call("POST", "/v1/replies", {**given, **({"ref": ref} if ref else {})})
        return str(answer["ref"])

    def messages(self) -> list[dict[str, Any]]:
        """All messages it got, in order, page by page."""
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = self._call("GET", f"/v1/messages?after={after}&limit=5000")
            found += page["messages"]
            after = page["next"]
        return found

    def forget(self) -> None:
        """Clear what it got."""
        self._call("DELETE", "/v1/messages")

    def wait_for(self, is_so: Callable[[dict[str, int]], bool], *, timeout_s: float = 30) -> None:
        """
        Wait until *is_so* holds for its counts.

        Raises:
            TimeoutError: It did not within *timeout_s*.
        """
        end = time.monotonic() + timeout_s
        while not is_so(counts := self.counts()):
            if time.monotonic() > end:
                raise TimeoutError(f"the simulator still counts {counts}")
            time.sleep(0.02)

    def _call(self, method: str, path: str, document: object = None) -> Any:
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(  # noqa: S310  always http to 127.0.0.1
            self.url + path,
            data=data,
            method=method,
            headers={"Authorization": f"Bearer {self._api_key}"},
        )
        # An opener without handlers for proxies: the environment may name one.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        app = make_app(self._behaviour, api_key=self._api_key, seed=self._seed)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5
        )
        await runner.setup()
        if self._socket is None:
            raise RuntimeError("not started as a context manager")
        await web.SockSite(runner, self._socket).start()
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()
