"""Excluded as ``control_group``: people held back, to compare those who got the text with."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smsflow_provider.core.preparation.candidates import Candidates
from smsflow_provider.core.preparation.exclusions.choosing import Key, chosen, highest_first
from smsflow_provider.core.preparation.exclusions.membership import Found
from smsflow_provider.core.preparation.population import Share
from smsflow_provider.core.preparation.rule_columns import RuleColumn

_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


def control_group(candidates: Candidates, share: Share, *, draw: str) -> Iterator[Found]:
    """
    Find the rows of the control group: exactly as many as *share* says of those still in.

    Drawn by the number alone, unless *share* names a column: the same people in every
    preparation and on every machine, as long as they are in the audience. Otherwise those with
    the highest values of the rule column ``control_by``, first rows first.

    Args:
        share: How many, or so many in a hundred, rounded half up.
        draw: Workflows with different names draw different people.

    Raises:
        ValueError: The rule column is not there.
    """
    if share.by is None:
        key = _by_lot(candidates, draw=draw)
    else:
        key = highest_first(candidates.rule_values(RuleColumn.CONTROL_BY))
    size = size_of(share, of=candidates.waiting_count)
    for rows, is_chosen in chosen(candidates, size, key=key):
        yield rows[is_chosen], ""


def size_of(share: Share, *, of: int) -> int:
    """
    Tell how many people a share of *of* people is.

    Example:
        >>> size_of(Share(percent=2.5), of=20), size_of(Share(percent=2.5), of=19)
        (1, 0)
    """
    if share.percent is None:
        return min(share.count or 0, of)
    part = Decimal(of) * Decimal(str(share.percent)) / 100
    return int(part.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _by_lot(candidates: Candidates, *, draw: str) -> Key:
    salt = int.from_bytes(blake2b(draw.encode(), digest_size=8).digest(), "big")
    return lambda rows: mixed(candidates.columns.phone[rows], salt=salt)


def mixed(phones: NDArray[np.uint64], *, salt: int) -> NDArray[np.uint64]:
    """
    Mix the bits of numbers so that their order is as good as drawn; different ones stay different.

    The finaliser of SplitMix64 (Steele, Lea, Flood 2014), in 64-bit integers that wrap around.

    Example:
        >>> [int(one) for one in mixed(np.array([33612345678, 33612345679], np.uint64), salt=1)]
        [14584663053110459669, 7704151512485420883]
    """
    bits = phones + np.uint64(salt)
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))
