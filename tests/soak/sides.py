"""What stands on the other side: a Kannel with a proxy in front, or the simulator."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from smsflow_provider.simulator.behaviour import Behaviour
from smsflow_provider.testing.recording_proxy import handed_over
from smsflow_provider.testing.simulator import RunningSimulator
from tests.kannel_harness import Kannel
from tests.soak.faults import ALL, OURS, Fault, Hit
from tests.soak.workers import ROOT

#: Seconds for which Kannel may be at a receipt: our receiver may be without its store meanwhile.
_KEPT_S = 10.0


class Side(Protocol):
    """A gateway, and what it knows of hand-overs."""

    @property
    def kinds(self) -> Sequence[Fault]:
        """What can be hit."""
        ...

    @property
    def url(self) -> str:
        """Where workers hand over."""
        ...

    def progress(self) -> int:
        """Count what was handed over so far, roughly."""
        ...

    def handed_over(self) -> Counter[str]:
        """Count hand-overs by message id."""
        ...

    def forgotten(self) -> set[str]:
        """Name the messages of which this gateway may know nothing any more, for it was killed."""
        ...

    def strike(self, hit: Hit, *, sleep: Callable[[float], None]) -> None:
        """Do what *hit* says to this gateway."""
        ...


class SimulatorSide:
    """The simulator counts what it took itself: one that is taken twice was handed over twice."""

    kinds = OURS

    def __init__(self, simulator: RunningSimulator) -> None:
        self._simulator = simulator

    @property
    def url(self) -> str:
        """Where workers hand over."""
        return self._simulator.url

    def progress(self) -> int:
        """Count what it took."""
        return self._simulator.counts()["messages"]

    def handed_over(self) -> Counter[str]:
        """Count by message id; of a family without our ids, by the address of its receipts."""
        return Counter(str(message["id"]) for message in self._simulator.messages())

    def forgotten(self) -> set[str]:
        """Name none: it is never killed."""
        return set()

    def strike(self, hit: Hit, *, sleep: Callable[[float], None]) -> None:
        """Refuse: it has no process of its own."""
        raise NotImplementedError(hit.kind)


class KannelSide:
    """Kannel, and a proxy in front of smsbox that is never hit."""

    kinds = ALL

    def __init__(self, kannel: Kannel, *, url: str, log: Path) -> None:
        self.kannel = kannel
        self.url = url
        self._log = log
        #: How many lines the proxy had written, and when it was looked at.
        self._seen: list[tuple[float, int]] = []
        #: From which to which line: what was under way when bearerbox was killed.
        self._killed: list[tuple[int, int]] = []

    def progress(self) -> int:
        """Count the lines of the proxy."""
        lines = self._log.read_bytes().count(b"\n") if self._log.exists() else 0
        self._seen.append((time.monotonic(), lines))
        return lines

    def forgotten(self) -> set[str]:
        """Name what was handed over up to ten seconds before a kill, or until it ran again."""
        lines = self._log.read_text("ascii").splitlines()
        return {name for first, last in self._killed for name in lines[first:last]}

    def _lines_then(self, ago_s: float) -> int:
        before = [lines for at, lines in self._seen if at <= time.monotonic() - ago_s]
        return max(before, default=0)

    def handed_over(self) -> Counter[str]:
        """Count the requests that came in whole, by message id."""
        return handed_over(self._log)

    def strike(self, hit: Hit, *, sleep: Callable[[float], None]) -> None:
        """Freeze bearerbox, or kill it and start Kannel again."""
        if hit.kind is Fault.GATEWAY_FROZEN:
            self.kannel.pause()
            sleep(0.5 + 3 * hit.strength)
            self.kannel.resume()
        else:
            first = self._lines_then(_KEPT_S)
            self.kannel.kill()
            sleep(1.5 * hit.strength)
            self.kannel.start_again()
            self._killed.append((first, self.progress()))


@contextmanager
def kannel_side(folder: Path, *, latency_s: float) -> Iterator[KannelSide]:
    """Run a Kannel with the proxy in front, where each request waits *latency_s*."""
    log = folder / "handed-over.log"
    (folder / "kannel").mkdir()
    with (
        Kannel(folder / "kannel", receipt_tries=30) as kannel,
        _proxy(kannel.url, log, slow_s=latency_s) as url,
    ):
        yield KannelSide(kannel, url=url, log=log)


@contextmanager
def simulator_side(family: str, *, latency_s: float) -> Iterator[SimulatorSide]:
    """Run a simulator that now and then loses an answer."""
    behaviour = Behaviour(
        family=family, latency_s=latency_s, lost_share=0.01, lookup_delay_s=0.5, silent_share=1.0
    )
    with RunningSimulator(behaviour) as simulator:
        yield SimulatorSide(simulator)


@contextmanager
def receiver(dsn: str, log: Path) -> Iterator[str]:
    """Run a receiver process; gives its public address."""
    port = free_port()
    command = [sys.executable, "-m", "smsflow_provider.cli.main", "receiver", "--port", str(port)]
    with (
        log.open("ab") as said,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "SMSFLOW_STORE": dsn},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        ) as process,
    ):
        try:
            _wait_open(port, process)
            yield f"http://127.0.0.1:{port}"
            if process.poll() is not None:
                raise RuntimeError("the receiver ended")
        finally:
            process.terminate()


def free_port() -> int:
    """Find a free port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def _proxy(to: str, log: Path, *, slow_s: float) -> Iterator[str]:
    command = [sys.executable, "-m", "smsflow_provider.testing.recording_proxy"]
    arguments = ["--listen", "0", "--to", to, "--log", str(log), "--slow", str(slow_s)]
    with subprocess.Popen(
        [*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            found = re.search(r"http://\S+", process.stdout.readline() if process.stdout else "")
            if found is None:
                raise RuntimeError("the proxy did not start")
            yield found[0]
        finally:
            process.kill()


def _wait_open(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 40
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the receiver does not listen")
