"""When a recurring workflow runs: a cron expression in a time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from smsflow_provider.core.document.zone import check_zone
from smsflow_provider.core.workflow.problem import refusal

_CRON_HINT = "minute hour day month weekday, as in '0 9 * * 2' for Tuesdays at nine"
#: Any fixed moment does: it only answers whether a next one exists.
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Frozen(BaseModel):
    """What every part of a workflow is: frozen, and closed to fields nobody knows."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, hide_input_in_errors=True
    )


def check_cron(expression: str) -> str:
    """
    Accept five fields, or a preset such as ``@weekly``, that come due some day.

    Seconds and years are refused: Airflow's scheduler works by the minute.

    Raises:
        PydanticCustomError: It is not such an expression, or no day ever matches it.

    Example:
        >>> check_cron("0 9 * * 2")
        '0 9 * * 2'
    """
    # Imported here: a workflow without a schedule does not pay for it.
    from croniter import (  # type: ignore[import-untyped]  # noqa: PLC0415
        CroniterBadDateError,
        croniter,
    )

    if len(expression.split()) != 5 and not expression.startswith("@"):
        raise refusal(f"{expression!r} is not a cron expression of five fields", _CRON_HINT)
    try:
        croniter(expression, _SOME_DAY).get_next()
    except CroniterBadDateError:
        raise refusal(f"{expression!r} never comes due") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise refusal(f"{expression!r} is not a cron expression", _CRON_HINT) from None
    return expression


class Schedule(Frozen):
    """
    A cron expression and the time zone it is meant in.

    Example:
        >>> Schedule(cron="0 9 * * 2", timezone="Europe/Paris").timezone
        'Europe/Paris'
    """

    #: Five fields (minute, hour, day, month, weekday) or a preset such as ``@weekly``.
    cron: Annotated[str, AfterValidator(check_cron)]
    #: IANA name. Nine o'clock stays nine o'clock when the clocks change.
    timezone: Annotated[str, AfterValidator(check_zone)] = "UTC"
