"""What the demo prints: a review, the progress of sending, a report. Pure: lines in, lines out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smsflow_provider.core.errors import SmsflowError
from smsflow_provider.core.model import Exclusion

#: What a message ends as, in the order of the report. Accepted ever, delivered since or not.
SETTLED = ("accepted", "failed", "unknown", "cancelled", "expired")
#: What a receipt says about an accepted message.
RECEIVED = ("delivered", "undelivered")
_WIDTH = 24
_BAR = 30


def review_lines(review: Mapping[str, Any], *, samples: int = 3) -> list[str]:
    """
    Show a preparation to the person who decides about it.

    Phones come masked from the core; the texts are shown, they are what is reviewed.

    Args:
        samples: How many messages to show.
    """
    lines = [*_people_lines(review), _figure("parts", review["parts"]), ""]
    for number, sample in enumerate(review["samples"][:samples], start=1):
        size = f"{sample['encoding']}, {_counted(sample['parts'], 'part')}"
        lines += [f"  Sample {number} to {sample['to_masked']} ({size}):"]
        lines += [f"    {line}" for line in str(sample["text"]).splitlines()]
    return lines


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """Show what became of a delivery, in numbers that add up from top to bottom."""
    lines = _people_lines(report)
    for name in SETTLED:
        lines.append(_figure(name, report[name], indent=4))
        if name == "accepted":
            lines += [
                _figure(kind, report[kind], indent=6) for kind in ("delivered", "undelivered")
            ]
    return [*lines, _figure("parts", report["parts"])]


def progress_line(report: Mapping[str, Any]) -> str:
    """
    Say how far sending is, in one line of constant length.

    Example:
        >>> print(progress_line({"to_deliver": 4, "accepted": 1, "failed": 1, "unknown": 0,
        ...                      "cancelled": 0, "expired": 0, "delivered": 1}))
        [###############...............]     2 of     4 handed over,     1 delivered
    """
    done, total = settled(report), int(report["to_deliver"])
    filled = _BAR * done // total if total else _BAR
    bar = "#" * filled + "." * (_BAR - filled)
    return f"[{bar}] {done:>5} of {total:>5} handed over, {report['delivered']:>5} delivered"


def settled(report: Mapping[str, Any]) -> int:
    """Count the messages whose hand-over has an outcome."""
    return sum(int(report[name]) for name in SETTLED)


def check_sums(report: Mapping[str, Any]) -> None:
    """
    Raise unless a finished report adds up.

    Raises:
        SmsflowError: The facts hold the figures that do not fit.
    """
    excluded = sum(report["excluded"].values())
    if report["targeted"] != excluded + report["to_deliver"]:
        raise SmsflowError(
            "the report does not add up: targeted is not excluded + to deliver",
            targeted=report["targeted"],
            excluded=excluded,
            to_deliver=report["to_deliver"],
        )
    if report["to_deliver"] != settled(report):
        raise SmsflowError(
            "the report does not add up: some messages have no outcome",
            to_deliver=report["to_deliver"],
            **{name: report[name] for name in SETTLED},
        )


def failure_lines(error: SmsflowError) -> list[str]:
    """Show an error to a person: the sentence, then one fact a line, long texts indented."""
    lines = [f"Failed: {error.problem}"]
    for name, fact in error.facts.items():
        text = "\n".join(map(str, fact)) if isinstance(fact, list | tuple) else str(fact)
        head, *more = text.splitlines() or [""]
        lines += [f"  {name}: {head}"] if not more else [f"  {name}:"]
        lines += [f"    {line}" for line in ([head, *more] if more else [])]
    return lines


def _people_lines(figures: Mapping[str, Any]) -> list[str]:
    return [
        _figure("targeted", figures["targeted"]),
        _figure("excluded", sum(figures["excluded"].values())),
        *(_figure(reason, count, indent=4) for reason, count in _by_reason(figures["excluded"])),
        _figure("to deliver", figures["to_deliver"]),
    ]


def _by_reason(excluded: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    """Order the reasons as they are tried; one that nobody had is left out."""
    order = {reason.value: place for place, reason in enumerate(Exclusion)}
    found = [(reason, count) for reason, count in excluded.items() if count]
    return sorted(found, key=lambda pair: order.get(pair[0], len(order)))


def _figure(name: str, count: int, *, indent: int = 2) -> str:
    return f"{' ' * indent}{name:<{_WIDTH - indent}}{count:>7,}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
