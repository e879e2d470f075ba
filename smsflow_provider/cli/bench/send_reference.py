"""
The same sending as people write it first, without any ledger.

Once as a loop over aiohttp with as many connections as the product has, on the event loop of the
product; and as the SDK of Twilio shows it, in a loop and in threads.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import aiohttp

from smsflow_provider.core.delivery.loop import run
from smsflow_provider.core.errors import ConfigError

#: The account that the sink is told about; it looks at none.
ACCOUNT = f"AC{0:032x}"
_TOKEN = "token"  # noqa: S105  the sink's
_LOGIN = base64.b64encode(f"{ACCOUNT}:{_TOKEN}".encode()).decode()
_SENDER = "ACME"


def send_by_aiohttp(url: str, *, count: int, connections: int) -> float:
    """
    Send *count* messages by a bare loop: no ledger, no marks, no record.

    Each connection has one request under way, written as a form of the fields that the product
    writes, and the id is read from the answer.

    Returns:
        Seconds, from the first request to the last answer.
    """
    return run(_send_all(url, count=count, connections=connections))


async def _send_all(url: str, *, count: int, connections: int) -> float:
    numbers = iter(range(1, count + 1))
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections),
        headers={"Authorization": f"Basic {_LOGIN}"},
    ) as session:
        began_s = time.perf_counter()
        await asyncio.gather(*(_send_next(session, url, numbers) for _ in range(connections)))
        return time.perf_counter() - began_s


async def _send_next(session: aiohttp.ClientSession, url: str, numbers: Iterator[int]) -> None:
    address = f"{url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    for number in numbers:
        body = urlencode(form_of(number))
        async with session.post(address, data=body, headers=headers) as answer:
            made = await answer.json()
            if answer.status != 201 or not made["sid"]:
                raise ConfigError("the sink refused a message")


def form_of(number: int) -> dict[str, str]:
    """Write message *number* of the benchmark as Twilio's fields."""
    callback = f"https://sms.example/smsflow/receipts/sms_twilio?m=1-1-{number:x}&t={'a' * 24}"
    return {
        "To": f"+{33_600_000_000 + number}",
        "From": _SENDER,
        "Body": f"Hello {number}",
        "SmartEncoded": "false",
        "ValidityPeriod": "3600",
        "StatusCallback": callback,
    }


def send_by_sdk(url: str, *, count: int, threads: int) -> float:
    """
    Send *count* messages by ``client.messages.create``, one after the other in each of *threads*.

    Returns:
        Seconds.

    Raises:
        ConfigError: The SDK is not installed.
    """
    create = _client(url, threads=threads).messages.create
    numbers, lock = itertools.count(1), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                number = next(numbers)
            if number > count:
                return
            create(to=f"+{33_600_000_000 + number}", from_=_SENDER, body=f"Hello {number}")

    workers = [threading.Thread(target=work) for _ in range(threads)]
    began_s = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - began_s


def _client(url: str, *, threads: int) -> Any:
    try:
        from requests.adapters import HTTPAdapter  # noqa: PLC0415  the SDK's
        from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]  # noqa: PLC0415  optional
        from twilio.rest import Client  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError:
        raise ConfigError("Twilio's SDK is not installed: pip install twilio") from None

    class ToTheSink(TwilioHttpClient):  # type: ignore[misc,unused-ignore]
        """Calls the sink instead of Twilio."""

        def request(self, method: str, address: str, *args: Any, **kwargs: Any) -> Any:
            there = address.replace("https://api.twilio.com", url, 1)
            return super().request(method, there, *args, **kwargs)

    caller = ToTheSink()
    caller.session.mount("http://", HTTPAdapter(pool_maxsize=threads))  # one kept for each
    return Client(ACCOUNT, _TOKEN, http_client=caller)
