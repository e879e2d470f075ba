"""A few numbers given by name of their owner, not by an audience."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.number import to_e164
from smsflow_provider.core.preparation.number_value import NumberProblem

_ADVICE: Final = "write them with + and the country code, or say their region"


def read_numbers(raw: Sequence[str], *, region: str | None) -> list[int]:
    """
    Read numbers that somebody wrote down.

    Returns:
        E.164 digits in the order given, each once.

    Raises:
        ConfigError: Names every wrong one by its place and problem, never by its digits.

    Example:
        >>> read_numbers(["06 12 34 56 78", "+33612345678"], region="FR")
        [33612345678]
    """
    numbers = [to_e164(one, region=region) for one in raw]
    wrong = {
        place: str(number.problem)
        for place, number in enumerate(numbers, start=1)
        if number.e164 is None
    }
    if wrong:
        advice = {"do": _ADVICE} if NumberProblem.NO_REGION in wrong.values() else {}
        raise ConfigError("numbers that cannot be texted, by place", wrong=wrong, **advice)
    return list(dict.fromkeys(int(number.e164) for number in numbers if number.e164))
