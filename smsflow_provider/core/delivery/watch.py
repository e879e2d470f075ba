"""What looks over the shoulder of a sender: rules of the whole delivery, and of all deliveries."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any


async def _nothing_to_resolve() -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What looks over the shoulder of a sender. All but ``resolve`` are called in a thread."""

    #: Called about once a second: may pause the delivery, or open its next wave.
    look: Callable[[], None] = lambda: None
    #: Sets parts aside of the daily cap; gives how many may leave.
    take_parts: Callable[[int], int] = lambda parts: parts
    #: Gives back parts that were set aside and did not leave.
    put_parts_back: Callable[[int], None] = lambda _: None
    #: Pauses the delivery because the switch is off.
    switched_off: Callable[[], None] = lambda: None
    #: Tries to end the doubts of a delivery that has nothing left to send. True: it may finish.
    resolve: Callable[[], Coroutine[Any, Any, bool]] = _nothing_to_resolve
