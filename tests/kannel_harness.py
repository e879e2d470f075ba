"""
A real Kannel (bearerbox, smsbox, fakesmsc) in a folder of its own, on free ports of 127.0.0.1.

fakesmsc stands in for the carrier and prints what it gets: the oracle of what left, and how
often. Limits of that oracle:

* It gets lines. A GSM text of one part is printed as it is, so a line break in it starts a
  new line, which is joined again here, and a carriage return before it is lost.
* It does not print the coding of joined parts. They are GSM when every part but the last is
  as full as a GSM part is; else UCS-2.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote_to_bytes

from smsflow_provider.core.gateways.kannel import KannelSettings
from smsflow_provider.core.gateways.settings import Secret
from tests.requirements import require_program

CONFIG = """\
group = core
admin-port = {admin}
admin-interface = "127.0.0.1"
admin-password = adm
status-password = st
smsbox-port = {smsbox}
smsbox-interface = "127.0.0.1"
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
log-file = "{folder}/bearerbox.log"
log-level = 1
store-type = spool
store-location = "{folder}/spool"
sms-incoming-queue-limit = -1
sms-outgoing-queue-limit = {queue_limit}
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = FAKE
smsc-admin-id = FAKE
port = {carrier}
our-host = 127.0.0.1
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = "127.0.0.1"
sendsms-chars = "0123456789 +"
log-file = "{folder}/smsbox.log"
log-level = 1
mo-recode = true
http-timeout = 20
http-request-retry = {receipt_tries}
http-queue-delay = 1

group = sendsms-user
username = smsflow
password = secret
max-messages = {max_messages}
concatenation = true
forced-smsc = FAKE
user-allow-ip = "127.0.0.1"
user-deny-ip = "*.*.*.*"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSms:
    """One message as the carrier got it, its parts joined."""

    sender: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    #: ``gsm7`` or ``ucs2``.
    encoding: str
    parts: int


class Kannel:
    """
    Kannel with its fake carrier. Use it as a context manager.

    Args:
        folder: Where configuration, logs and spool go; must exist.
        max_messages: Parts one text may have; Kannel drops the rest in silence.
        queue_limit: Messages bearerbox keeps while the carrier is away.
        receipt_tries: How often a receipt is told again that was not taken, a second apart.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_messages: int = 255,
        queue_limit: int = 1_000_000,
        receipt_tries: int = 3,
    ) -> None:
        self._folder = folder
        self._programs = {
            name: require_program(name) for name in ("bearerbox", "smsbox", "fakesmsc")
        }
        names = ("admin", "smsbox", "carrier", "sendsms")
        self._ports = dict(zip(names, _free_ports(len(names)), strict=True))
        self._limits = {
            "max_messages": max_messages,
            "queue_limit": queue_limit,
            "receipt_tries": receipt_tries,
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Start all three and wait until a message could pass."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all three."""
        self.stop()

    @property
    def url(self) -> str:
        """Base URL of the sendsms interface."""
        return f"http://127.0.0.1:{self._ports['sendsms']}"

    @property
    def port(self) -> int:
        """Port of the sendsms interface."""
        return self._ports["sendsms"]

    @property
    def settings(self) -> KannelSettings:
        """Settings of a connection to it."""
        return KannelSettings(base_url=self.url, username="smsflow", password=Secret("secret"))

    def start(self) -> None:
        """Start bearerbox, smsbox and the carrier, in this order."""
        (self._folder / "spool").mkdir(exist_ok=True)
        places = {"folder": str(self._folder), **self._ports, **self._limits}
        (self._folder / "kannel.conf").write_text(CONFIG.format(**places))
        self.start_bearerbox()
        self.start_smsbox()
        self.start_carrier()

    def start_bearerbox(self) -> None:
        """Start bearerbox and wait until it answers."""
        self._start("bearerbox", ["-v", "3", "kannel.conf"])
        self.wait_until(
            lambda: "Status: running" in self.status(), problem="bearerbox does not answer"
        )

    def start_smsbox(self) -> None:
        """Start smsbox and wait until it takes messages."""
        self._start("smsbox", ["-v", "3", "kannel.conf"])
        self.wait_until(lambda: _is_open(self._ports["sendsms"]), problem="smsbox does not listen")

    def start_carrier(self) -> None:
        """Connect the fake carrier and wait until bearerbox sees it."""
        # It wants a message to send even when it is to send none; without, it ends at once.
        arguments = ["-H", "127.0.0.1", "-r", str(self._ports["carrier"]), "-m", "0"]
        self._start("fakesmsc", [*arguments, "100 200 text nop"])
        self.wait_until(lambda: " (online" in self.status(), problem="the carrier is not online")

    def stop_carrier(self) -> None:
        """Take the carrier away; what is sent now is queued."""
        self._end("fakesmsc")
        self.wait_until(
            lambda: " (online" not in self.status(), problem="the carrier is still online"
        )

    def stop(self) -> None:
        """Stop everything. Kannel takes some seconds to end; it is not given more than ten."""
        for name in ("fakesmsc", "smsbox", "bearerbox"):
            self._end(name)

    def pause(self) -> None:
        """Freeze bearerbox: clients wait for an answer that does not come."""
        self._running["bearerbox"].send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let bearerbox go on: what clients gave up waiting for is sent now."""
        self._running["bearerbox"].send_signal(signal.SIGCONT)

    def kill(self, name: str = "bearerbox") -> None:
        """End one program with SIGKILL."""
        program = self._running.pop(name)
        program.kill()
        program.wait(timeout=10)

    def start_again(self) -> None:
        """
        Start all three anew, after bearerbox was killed.

        The carrier ends when bearerbox does. Smsbox stops listening, and comes back by itself ten
        seconds later as a child of nobody: it is not waited for, and started here.
        """
        for name in list(self._running):
            self.kill(name)
        self.start_bearerbox()
        self.start_smsbox()
        self.start_carrier()

    def status(self) -> str:
        """Bearerbox's own status page; empty when it does not answer."""
        url = f"http://127.0.0.1:{self._ports['admin']}/status.txt?password=st"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=5) as answer:
                return str(answer.read().decode("utf-8", "replace"))
        except OSError:
            return ""

    def messages(self) -> list[ReceivedSms]:
        """Every message the carrier got whole, in order, repeated ones included."""
        output = self._folder / "fakesmsc.out"
        return list(read_messages(output.read_bytes())) if output.exists() else []

    def wait_until(
        self,
        is_so: Callable[[], bool],
        *,
        problem: str,
        timeout_s: float = 15,
        pause_s: float = 0.05,
    ) -> None:
        """
        Wait until *is_so*, asking every *pause_s*.

        Raises:
            TimeoutError: It was not in time, or a program ended; says *problem* and which.
        """
        end = time.monotonic() + timeout_s
        while not is_so():
            ended = [name for name, each in self._running.items() if each.poll() is not None]
            if ended or time.monotonic() > end:
                raise TimeoutError(f"{problem}; ended: {ended}; see {self._folder}")
            time.sleep(pause_s)

    def wait_for(self, count: int, *, timeout_s: float = 30) -> list[ReceivedSms]:
        """
        Wait until the carrier got *count* messages, then a moment more for one too many.

        Raises:
            TimeoutError: It did not get them in time.
        """
        self.wait_until(
            lambda: len(self.messages()) >= count,
            problem=f"the carrier did not get {count} messages",
            timeout_s=timeout_s,
            # Every look reads all that was printed.
            pause_s=0.05 if count < 200 else 0.5,
        )
        time.sleep(0.1)
        return self.messages()

    def forget(self) -> None:
        """Forget what the carrier got so far; for tests that share one Kannel."""
        os.truncate(self._folder / "fakesmsc.out", 0)

    def _start(self, name: str, arguments: list[str]) -> None:
        # Appended to, so that truncating it does not leave a hole before the next line.
        with (self._folder / f"{name}.out").open("ab") as output:
            self._running[name] = subprocess.Popen(
                [str(self._programs[name]), *arguments],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _end(self, name: str) -> None:
        program = self._running.pop(name, None)
        if program is None:
            return
        program.send_signal(signal.SIGCONT)
        program.terminate()
        try:
            program.wait(timeout=10)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait(timeout=10)


_LINE = re.compile(rb"\S+ \S+ \[\d+\] \[\d+\] DEBUG: Got message \d+: <(.*)>\Z", re.DOTALL)
_HEAD = re.compile(
    rb"(?P<sender>.*?) (?P<to>\+?\d{3,15}) (?P<kind>text|ucs-2|udh|data) (?P<rest>.*)\Z", re.DOTALL
)
_EXTENSION = frozenset("\f^{}\\[~]|€")


@dataclass(slots=True)
class _Joined:
    """The parts of one message, as they come."""

    total: int
    parts: dict[int, bytes] = field(default_factory=dict)


def read_messages(output: bytes) -> Iterator[ReceivedSms]:
    """Read the messages out of what fakesmsc printed; parts that never became whole are left."""
    joining: dict[tuple[bytes, bytes, bytes], _Joined] = {}
    for head, rest in _entries(output):
        sender, to, kind = head["sender"], head["to"], head["kind"]
        if kind == b"udh":
            whole = _join(joining, sender, to, rest)
            if whole is not None:
                yield _received(sender, to, *_decoded(whole), parts=len(whole))
        elif kind == b"text":
            yield _received(sender, to, rest.decode(), "gsm7", parts=1)
        else:
            yield _received(sender, to, _unquoted(rest).decode("utf-16-be"), "ucs2", parts=1)


def _entries(output: bytes) -> Iterator[tuple[re.Match[bytes], bytes]]:
    """Join printed lines that belong together: a line without a head goes on with the last."""
    found: list[tuple[re.Match[bytes], list[bytes]]] = []
    for line in output.split(b"\n")[:-1]:
        printed = _LINE.match(line)
        if printed is None:
            continue
        head = _HEAD.match(printed[1])
        if head is not None:
            found.append((head, [head["rest"]]))
        elif found:
            found[-1][1].append(printed[1])
    return ((head, b"\n".join(pieces)) for head, pieces in found)


def _join(
    joining: dict[tuple[bytes, bytes, bytes], _Joined], sender: bytes, to: bytes, rest: bytes
) -> list[bytes] | None:
    """Add a part; give all parts in order once they are there."""
    header, _, data = rest.partition(b" data ")
    # 3GPP TS 23.040, 9.2.3.24.1: length, element, its length, reference, total, number.
    reference, total, number = unquote_to_bytes(header.replace(b"+", b" "))[-3:]
    key = (sender, to, bytes([reference, total]))
    joined = joining.setdefault(key, _Joined(total=total))
    joined.parts[number] = _unquoted(data)
    if len(joined.parts) < joined.total:
        return None
    del joining[key]
    return [joined.parts[each] for each in range(1, total + 1)]


def _decoded(parts: list[bytes]) -> tuple[str, str]:
    whole = b"".join(parts)
    if all(_is_full_gsm_part(part) for part in parts[:-1]):
        return whole.decode(), "gsm7"
    return whole.decode("utf-16-be"), "ucs2"


def _is_full_gsm_part(part: bytes) -> bool:
    """Tell a full GSM part, 152 or 153 septets, from 134 bytes of UCS-2."""
    try:
        text = part.decode()
    except UnicodeDecodeError:
        return False
    septets = sum(2 if char in _EXTENSION else 1 for char in text)
    return septets in {152, 153} and "\0" not in text


def _received(sender: bytes, to: bytes, text: str, encoding: str, *, parts: int) -> ReceivedSms:
    return ReceivedSms(
        sender=sender.decode(), to=to.decode(), text=text, encoding=encoding, parts=parts
    )


def _unquoted(data: bytes) -> bytes:
    return unquote_to_bytes(data.replace(b"+", b" "))


def _free_ports(count: int) -> Iterable[int]:
    """Find free ports. Another program could take one before Kannel does; none here does."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
