"""Time zones by name."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

from smsflow_provider.core.document.problem import near, refusal


def check_zone(name: str) -> str:
    """
    Accept a name of the IANA time zone database.

    Raises:
        PydanticCustomError: No such zone; carries the near name.

    Example:
        >>> check_zone("Europe/Paris")
        'Europe/Paris'
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise refusal(f"unknown time zone {name!r}", near(name, available_timezones())) from None
    return name
