"""
A proxy in front of a gateway that counts what is handed over, in a process of its own.

``python -m smsflow_provider.testing.recording_proxy --listen PORT --to URL --log FILE``

One line for each message of each request that came in whole, before it is passed on: the message's
id, or for a request without one ``? `` and a digest of it. So a line is a hand-over, whatever
becomes of the request behind the proxy. An answer that certainly took nothing (429, or as
``--turned-away`` says) is followed by the same line with a minus. Phones, texts and secrets are
never written. With ``--slow`` each request waits that long behind its line, so that some are always
under way.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import socket
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web

#: The header in which Kannel gets the callback address of a message.
_KANNEL_ADDRESS: Final = "X-Kannel-DLR-URL"
#: Fields of a form in which others get it.
_FORM_ADDRESSES: Final = ("StatusCallback", "dlr-url", "callback_url")
_BODY_LIMIT_BYTES: Final = 4 << 20
#: Headers that belong to one connection, not to the request.
_OF_THE_HOP: Final = frozenset(
    {"connection", "keep-alive", "te", "trailers", "transfer-encoding", "upgrade", "host"}
    | {"content-length", "proxy-authorization", "proxy-authenticate", "content-encoding"}
)


def handed_over(path: Path) -> Counter[str]:
    """Count the hand-overs that a proxy has logged, by message, less those turned away."""
    lines = path.read_text("ascii").split("\n")[:-1] if path.exists() else []
    counts = Counter(line for line in lines if not line.startswith("-"))
    counts.subtract(line[1:] for line in lines if line.startswith("-"))
    return +counts


def names_of(method: str, headers: Mapping[str, str], body: bytes) -> list[str]:
    """
    Name the messages that a request hands over; none for one that only asks.

    Example:
        >>> names_of("POST", {"X-Kannel-DLR-URL": "http://us/?m=2a-1-1&t=x"}, b"Hello")
        ['2a-1-1']
        >>> names_of("POST", {}, b'{"messages": [{"id": "2a-1-1"}, {"id": "2a-1-2"}]}')
        ['2a-1-1', '2a-1-2']
        >>> names_of("POST", {}, b'{"ids": ["2a-1-1"]}'), names_of("GET", {}, b"")
        ([], [])
    """
    if method not in {"POST", "PUT"}:
        return []
    found = {name.lower(): value for name, value in headers.items()}
    addresses = [found[_KANNEL_ADDRESS.lower()]] if _KANNEL_ADDRESS.lower() in found else []
    document = _json_of(body)
    if document is not None:
        return _names_in(document)
    if not addresses:
        form = parse_qs(body.decode("utf-8", errors="replace"))
        addresses = [form[name][0] for name in _FORM_ADDRESSES if name in form]
    names = [_message_in(address) for address in addresses]
    return [name for name in names if name] or [f"? {hashlib.sha256(body).hexdigest()[:32]}"]


def _json_of(body: bytes) -> object | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _names_in(document: object) -> list[str]:
    rows = document.get("messages") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        return []
    return [str(row.get("id", "?")) for row in rows if isinstance(row, dict)]


def _message_in(address: str) -> str:
    return parse_qs(urlsplit(address).query).get("m", [""])[0]


class RecordingProxy:
    """Passes requests on and logs them. See the module."""

    def __init__(
        self, to: str, log: Path, *, turned_away: Collection[int] = (429,), slow_s: float = 0.0
    ) -> None:
        self._to = to.rstrip("/")
        self._slow_s = slow_s
        self._log = log
        self._turned_away = frozenset(turned_away)
        self._session: aiohttp.ClientSession | None = None

    async def serve(self, listening: socket.socket) -> None:
        """Serve until cancelled."""
        timeout = aiohttp.ClientTimeout(total=600)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(
            timeout=timeout, connector=connector, auto_decompress=False
        ) as session:
            self._session = session
            app = web.Application(client_max_size=_BODY_LIMIT_BYTES)
            app.router.add_route("*", "/{path:.*}", self._pass_on)
            runner = web.AppRunner(app, access_log=None, handler_cancellation=False)
            await runner.setup()
            await web.SockSite(runner, listening).start()
            try:
                await asyncio.Event().wait()
            finally:
                await runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        names = names_of(request.method, request.headers, body)
        self._write(names)
        await asyncio.sleep(self._slow_s)
        try:
            answer = await self._answer_of(request, body)
        except (aiohttp.ClientError, OSError):
            if request.transport is not None:
                request.transport.abort()  # what the gateway does to us, the sender sees
            return web.Response(status=502)
        if answer.status in self._turned_away:
            self._write([f"-{name}" for name in names])
        return answer

    def _write(self, lines: Sequence[str]) -> None:
        if lines:
            with self._log.open("a", encoding="ascii", errors="replace") as log:
                log.write("".join(f"{line}\n" for line in lines))

    async def _answer_of(self, request: web.Request, body: bytes) -> web.StreamResponse:
        if self._session is None:
            raise OSError("not serving")
        headers = [(n, v) for n, v in request.headers.items() if n.lower() not in _OF_THE_HOP]
        async with self._session.request(
            request.method,
            self._to + request.raw_path,
            headers=headers,
            data=body or None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            passed = [(n, v) for n, v in answer.headers.items() if n.lower() not in _OF_THE_HOP]
            response = web.Response(status=answer.status, body=await answer.read())
            for name, value in passed:
                if name.lower() == "content-type":
                    response.headers[name] = value
                else:
                    response.headers.add(name, value)
            return response


def main() -> int:
    """Run the proxy until it is killed. Says on stdout when it listens."""
    parser = argparse.ArgumentParser(description="Log what is handed to a gateway.")
    parser.add_argument("--listen", type=int, required=True, help="port at 127.0.0.1; 0: any")
    parser.add_argument("--to", required=True, help="base URL of the gateway")
    parser.add_argument("--log", type=Path, required=True, help="file to append to")
    parser.add_argument(
        "--turned-away", type=int, nargs="*", default=[429], help="statuses that took nothing"
    )
    parser.add_argument("--slow", type=float, default=0.0, help="seconds to wait (0)")
    args = parser.parse_args()
    listening = socket.create_server(("127.0.0.1", args.listen), backlog=512)
    port = listening.getsockname()[1]
    proxy = RecordingProxy(args.to, args.log, turned_away=args.turned_away, slow_s=args.slow)
    sys.stdout.write(f"listening at http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    try:
        asyncio.run(proxy.serve(listening))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
