"""Who gets no message, and why: one reason each, tried in the order of ``Exclusion``."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.number import Number, NumberProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """One recipient left out."""

    #: Row of the audience, from 1.
    row_number: int
    recipient_id: str
    #: E.164 digits, where the address could be read.
    phone: int | None = field(repr=False)
    reason: Exclusion
    #: What exactly: the problem of the number, the missing field, the row with the same number.
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One recipient who is still in."""

    row_number: int
    recipient_id: str
    phone: int = field(repr=False)
    region: str


class Excluder:
    """
    Applies the reasons that need no text, over all batches of one audience.

    Remembers every number it kept, so that of several rows with one number the first wins; the
    memory is about 100 bytes a recipient.

    Args:
        opted_out: Numbers on the opt-out lists.
        allowed: The only numbers that may be texted. None: everybody.
    """

    def __init__(self, *, opted_out: Container[int], allowed: Container[int] | None) -> None:
        self._opted_out = opted_out
        self._allowed = allowed
        self._row_of: dict[int, int] = {}

    def split(
        self, *, first_row: int, recipient_ids: Sequence[str], numbers: Sequence[Number]
    ) -> tuple[list[Kept | None], list[Excluded]]:
        """
        Split one batch.

        Args:
            first_row: Number of the batch's first row in the audience, from 1.

        Returns:
            For each row, who is kept or None; and those left out with their reasons.
        """
        kept: list[Kept | None] = []
        excluded: list[Excluded] = []
        for offset, (recipient_id, number) in enumerate(zip(recipient_ids, numbers, strict=True)):
            row = first_row + offset
            phone = int(number.e164) if number.e164 else None
            found = self._reason_of(number, phone, row)
            if found is None and phone is not None:
                kept.append(
                    Kept(
                        row_number=row,
                        recipient_id=recipient_id,
                        phone=phone,
                        region=number.region or "",
                    )
                )
                continue
            reason, detail = found or (Exclusion.INVALID_NUMBER, "")
            kept.append(None)
            excluded.append(
                Excluded(
                    row_number=row,
                    recipient_id=recipient_id,
                    phone=phone,
                    reason=reason,
                    detail=detail,
                )
            )
        return kept, excluded

    def _reason_of(
        self, number: Number, phone: int | None, row: int
    ) -> tuple[Exclusion, str] | None:
        if phone is None:
            if number.problem is NumberProblem.NO_ADDRESS:
                return Exclusion.NO_ADDRESS, ""
            return Exclusion.INVALID_NUMBER, str(number.problem or "")
        if phone in self._opted_out:
            return Exclusion.OPTED_OUT, ""
        winner = self._row_of.setdefault(phone, row)
        if winner != row:
            return Exclusion.DUPLICATE, f"same number as row {winner}"
        if self._allowed is not None and phone not in self._allowed:
            return Exclusion.FILTERED, "not on the allow-list of this environment"
        return None
