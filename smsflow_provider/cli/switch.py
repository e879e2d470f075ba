"""``smsflow switch``: silence everything at once, and let people go on."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from smsflow_provider.cli.control import actor_here
from smsflow_provider.cli.reach import add_store_argument, reach_store
from smsflow_provider.core.delivery.switch import find_switch, switch_off, switch_on
from smsflow_provider.core.store.switch import Switch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("act", choices=("on", "off", "show"), help="what to do")
    parser.add_argument("--reason", default="", help="what others are told; no number, no text")
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Do it, and say how the switch stands."""
    store, lines = reach_store(args), list[str]()
    if args.act == "off":
        switch, paused = switch_off(store, actor=actor_here(), reason=args.reason)
        lines = [f"Paused by this: {', '.join(paused) or 'nothing was being sent'}."]
    elif args.act == "on":
        switch = switch_on(store, actor=actor_here(), reason=args.reason)
        lines = ["Nothing goes on by itself: smsflow resume DELIVERY."]
    else:
        switch = find_switch(store)
    print(*_lines_of(switch), *lines, sep="\n")
    return 0


def _lines_of(switch: Switch) -> Iterator[str]:
    yield "Everything is switched off." if switch.is_off else "Deliveries may be sent."
    if switch.at is not None:
        turned = "off" if switch.is_off else "on"
        yield f"Switched {turned} by {switch.by} at {switch.at.isoformat(timespec='seconds')}."
    if switch.reason:
        yield f"Reason: {switch.reason}"
