"""What the page of a delivery says of each reason for which somebody gets no message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from smsflow_provider.core.model import Exclusion

#: The words of the documentation; a test compares them.
REASONS: Final[Mapping[str, str]] = {
    Exclusion.NO_ADDRESS.value: "Nothing stands in the place of the phone.",
    Exclusion.INVALID_NUMBER.value: (
        "The phone is no number, or of a kind or a country that may not be texted."
    ),
    Exclusion.OPTED_OUT.value: (
        "The person wants no such texts: for everything, from this sender, or of this programme."
    ),
    Exclusion.QUARANTINED.value: "Texts to this number have failed for good.",
    Exclusion.DUPLICATE.value: "Another row with the same number gets the text.",
    Exclusion.FILTERED.value: (
        "A filter of the user's holds, or the environment may text other numbers only."
    ),
    Exclusion.EXCLUDED_AUDIENCE.value: "The number is in an audience that is left out.",
    Exclusion.CONTROL_GROUP.value: "Held back, to compare with those who got the text.",
    Exclusion.PRESSURE.value: "The person has had, or will have, enough texts.",
    Exclusion.SIZE_LIMIT.value: "Beyond the most people the delivery may reach.",
    Exclusion.MISSING_FIELD.value: (
        "The row lacks a value that the text needs, and the template says to exclude."
    ),
    Exclusion.TOO_LONG.value: "The text takes more parts than the template allows.",
}
