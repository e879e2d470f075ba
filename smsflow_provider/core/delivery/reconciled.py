"""What came of asking gateways about messages in doubt, and how sure "not taken" must be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How sure "not taken" must be."""

    #: Seconds since a lost sender was given up, on top of what the gateway needs: as long as that
    #: sender may be frozen and still hand its messages over.
    lost_sender_s: float = 10.0
    #: Seconds between the two answers.
    confirm_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What came of asking. ``asked`` = ``taken`` + ``not_taken`` + ``unsure``."""

    #: Messages that were asked about.
    asked: int = 0
    #: Now ``accepted``.
    taken: int = 0
    #: Now waiting for another attempt, or ``failed`` in a delivery that has ended.
    not_taken: int = 0
    #: Still in doubt, or ended by somebody else meanwhile.
    unsure: int = 0
    #: Seconds after which asking again may tell more. None: it would not.
    again_in_s: float | None = None
    #: Gateways (connections) that could not be asked, with why; of maintenance only.
    problems: tuple[str, ...] = ()

    def plus(self, other: Self) -> Self:
        """Add up two."""
        waits = [one for one in (self.again_in_s, other.again_in_s) if one is not None]
        return replace(
            self,
            asked=self.asked + other.asked,
            taken=self.taken + other.taken,
            not_taken=self.not_taken + other.not_taken,
            unsure=self.unsure + other.unsure,
            again_in_s=min(waits, default=None),
            problems=(*self.problems, *other.problems),
        )

    def as_dict(self) -> dict[str, Any]:
        """Give counts and problems by name."""
        counts = {name: getattr(self, name) for name in ("asked", "taken", "not_taken", "unsure")}
        return {**counts, "problems": list(self.problems)}
