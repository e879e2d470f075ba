"""How long the messages of a preparation take to leave, at the pace of their gateways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from smsflow_provider.core.content.durations import in_words
from smsflow_provider.core.content.sending_settings import Failover
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.preparation.checks import Level, LogLine
from smsflow_provider.core.preparation.tally import Tally

#: What a minute reaches of a limit; see ``docs/pace.md``.
_REACHED: Final = 0.96

#: Country, sender, messages and parts.
Load = tuple[str, str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What the connection of a gateway lets through, in parts a second; 0: no limit."""

    conn_id: str
    parts_per_s: float = 0.0
    sender_parts_per_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What is known, when a delivery is prepared, of how it will leave."""

    #: The delivery's own gateway, then the one it fails over to. Empty: nobody looked.
    rates: Sequence[Rate] = ()
    #: Send tasks that will share it. None: not known.
    workers: int | None = None

    def as_dict(self, *, shortest_s: float | None) -> dict[str, Any]:
        """Write it as JSON values, as the delivery's figures keep it."""
        return {
            "gateways": [asdict(rate) for rate in self.rates],
            "workers": self.workers,
            "shortest_s": shortest_s,
        }


def shortest_s(
    loads: Iterable[Load], rates: Sequence[Rate], *, failover: Failover | None = None
) -> float | None:
    """
    Say how many seconds the messages take if nothing else leaves through their gateways.

    It is the least: retries, a gateway that is busy and other deliveries come on top.

    Args:
        loads: Messages and parts by country and sender.
        rates: Of the first gateway, and of the second if *failover* names one.

    Returns:
        None: no limit is set.

    Example:
        >>> loads = [("FR", "ACME", 4800, 9600)]
        >>> shortest_s(loads, [Rate(conn_id="sms", parts_per_s=100)])
        100.0
    """
    countries = failover.countries if failover and len(rates) > 1 else ()
    by_sender: dict[tuple[int, str], int] = {}
    for country, sender, _, parts in loads:
        key = (int(country in countries), sender)
        by_sender[key] = by_sender.get(key, 0) + parts
    times = [
        seconds
        for route, rate in enumerate(rates)
        for seconds in _times([n for (at, _), n in by_sender.items() if at == route], rate)
    ]
    return round(max(times), 1) if times else None


def _times(parts: Sequence[int], rate: Rate) -> Iterable[float]:
    """Seconds by each limit of one gateway; *parts* are those of each sender."""
    if rate.parts_per_s:
        yield sum(parts) / (rate.parts_per_s * _REACHED)
    if rate.sender_parts_per_s:
        yield max(parts, default=0) / (rate.sender_parts_per_s * _REACHED)


def shortest_of(tally: Tally, leaving: Leaving, *, template: Template) -> float | None:
    """Say how long the messages that *tally* counted take; see ``shortest_s``."""
    loads = tally.parts_by("region", "sender").iter_rows()
    return shortest_s(loads, leaving.rates, failover=template.settings.sending.failover)


def check_failover(template: Template, *, gateway: str) -> list[LogLine]:
    """Refuse a second gateway that is the first one."""
    failover = template.settings.sending.failover
    if failover is None or failover.gateway != gateway:
        return []
    problem = f"sending.failover names {gateway}, which is the delivery's own gateway"
    facts = {"gateway": gateway}
    return [LogLine(level=Level.ERROR, event=LogEvent.CONFIG_REFUSED, problem=problem, facts=facts)]


def check_validity(
    template: Template, *, to_deliver: int, shortest_s: float | None
) -> list[LogLine]:
    """Warn where the last messages cannot leave before the validity ends."""
    settings = template.settings
    sending, validity_s = settings.sending, settings.validity_s
    over_s = sending.spread.over_s if sending.spread else None
    takes_s = max(shortest_s or 0.0, over_s or 0.0)
    if sending.waves:
        takes_s += sending.waves.wait_s * min(len(sending.waves.shares), max(to_deliver - 1, 0))
    if not to_deliver or takes_s <= validity_s:
        return []
    problem = (
        f"the messages take {in_words(takes_s)} to leave, or longer, and their validity is"
        f" {in_words(validity_s)}: the last ones expire"
    )
    facts = {"takes_s": takes_s, "validity_s": validity_s}
    return [LogLine(level=Level.WARNING, event=LogEvent.TOO_SLOW, problem=problem, facts=facts)]
