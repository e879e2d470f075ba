"""What the demo prints: a review, the progress of sending, a report. Pure: lines in, lines out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from smsflow_provider.core.errors import SmsflowError
from smsflow_provider.core.model import SETTLED, Exclusion
from smsflow_provider.core.preparation.cost import money

#: What a receipt says about an accepted message.
RECEIVED = ("delivered", "undelivered")
_WIDTH = 24
_BAR = 30


def review_lines(review: Mapping[str, Any], *, samples: int = 3) -> list[str]:
    """
    Show a preparation to the person who decides about it.

    Phones come masked from the core; the texts are shown, they are what is reviewed.

    Args:
        review: See ``core.preparation.review.review``.
        samples: How many messages to show.
    """
    return [
        *(f"  {line['level']}: {line['problem']}" for line in _urgent(review)),
        *_waterfall_lines(review),
        _figure("parts", review["parts"]),
        *_cost_lines(review.get("cost")),
        *_change_lines(review.get("changes")),
        "",
        *_sample_lines(_chosen(review["samples"], count=samples)),
    ]


def _urgent(review: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [line for line in review.get("log", ()) if line["level"] in {"error", "warning"}]


def _waterfall_lines(review: Mapping[str, Any]) -> Iterator[str]:
    """Lead from the targeted to those to deliver, with who is left after each reason."""
    yield _figure("targeted", review["targeted"])
    for step in review["waterfall"]:
        left = f"   leaves {step['left']:>7,}"
        yield _figure(step["reason"], step["excluded"], indent=4) + left
    yield _figure("to deliver", review["to_deliver"])


def _cost_lines(cost: Mapping[str, Any] | None) -> Iterator[str]:
    """Show what it costs, by country; nothing without prices."""
    if not cost or cost["total"] is None:
        return
    least = "" if cost["is_complete"] else "at least "
    total = money(Decimal(cost["total"]), cost["currency"])
    yield f"  {'cost':<{_WIDTH - 2}}{least}{total}, prices of {cost['as_of']}"
    for one in cost["countries"]:
        known = one["cost"] is not None
        its = money(Decimal(one["cost"]), cost["currency"]) if known else "no price"
        name = one["country"] or "no country"
        yield f"{_figure(name, one['parts'], indent=4)} {_counted_as(one['parts'])}{its:>14}"


def _counted_as(parts: int) -> str:
    return "part " if parts == 1 else "parts"


def _change_lines(changes: Mapping[str, Any] | None) -> Iterator[str]:
    """Say what is other than in the former run."""
    if not changes:
        return
    yield ""
    if changes["is_same"]:
        yield "  The same as the former run"
        return
    yield "  Since the former run:"
    for name, pair in {**changes["figures"], **changes["exclusions"]}.items():
        if pair["difference"]:
            yield f"    {name.replace('_', ' ')}: {pair['before']:,}, now {pair['after']:,}"
    cost = changes["cost"]
    if cost["difference"]:
        amounts = [money(Decimal(cost[at]), cost["currency"][at]) for at in ("before", "after")]
        yield f"    cost: {amounts[0]}, now {amounts[1]}"
    for one in changes["template"]:
        yield f"    text, {one['part']}:"
        yield from (
            f"      {line}"
            for line in one["diff"]
            if line[:1] in "+-" and line[:3] not in {"+++", "---"}
        )


def _chosen(samples: Sequence[Mapping[str, Any]], *, count: int) -> list[Mapping[str, Any]]:
    """Take the first few and the longest, which may tell most."""
    longest = [one for one in samples[count:] if "longest" in one.get("picks", ())]
    return [*samples[: count - len(longest)], *longest]


def _sample_lines(samples: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for number, sample in enumerate(samples, start=1):
        size = f"{sample['encoding']}, {_counted(sample['parts'], 'part')}"
        yield f"  Sample {number} to {sample['to_masked']} ({size}):"
        yield from (f"    {line}" for line in str(sample["text"]).splitlines())


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
