"""What the routes of opt-outs and quarantine share: one number read, a file read, changes noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import Query

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.named import read_numbers
from smsflow_provider.core.preparation.number import to_e164
from smsflow_provider.core.preparation.number_import import SHOWN, ReadList
from smsflow_provider.core.store.audit import write_audit
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.number_lists import Recent, Size
from smsflow_provider.core.store.phones import Note
from smsflow_provider.plugins.api.models.numbers import Imported, OptOutPage, QuarantinePage
from smsflow_provider.plugins.api.problems import WrongInputError, wrong_input

#: Where entries come from that somebody made on the page.
SOURCE = "dashboard"


Page = TypeVar("Page", OptOutPage, QuarantinePage)
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[datetime | None, Query(description="`next` of the page before")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One number that somebody wrote."""

    #: E.164 digits.
    phone: int = field(repr=False)
    #: ISO 3166 country.
    region: str | None


def read_number(text: str, *, region: str | None) -> Asked:
    """
    Read one number.

    Raises:
        WrongInputError: It is none, with the reason; or an unknown region.
    """
    with wrong_input():
        (phone,) = read_numbers([text], region=region)
    return Asked(phone=phone, region=to_e164(f"+{phone}").region)


def empty_page(kind: type[Page]) -> Page:
    """Answer whoever may not administer a list: nothing of it."""
    return kind(
        may_administer=False,
        entries=[],
        total=0,
        total_is_estimate=False,
        is_cut=False,
        next=None,
    )


def told_page(
    kind: type[Page], entries: Sequence[object], *, found: Recent[Any], size: Size
) -> Page:
    """Tell *entries*, which are those of *found* as the page shows them."""
    return kind(
        may_administer=True,
        entries=entries,
        total=size.entries,
        total_is_estimate=size.is_estimate,
        is_cut=found.is_cut,
        next=found.next_before and found.next_before.isoformat(),
    )


def moment_of(before: datetime | None) -> datetime | None:
    """Give a moment a zone: UTC where the caller wrote none."""
    return before.replace(tzinfo=UTC) if before is not None and before.tzinfo is None else before


def noted(actor: str, action: str, **facts: object) -> Note:
    """Write into the audit, with how many entries changed; in the transaction of the change."""

    def note(connection: Connection, changed: int) -> None:
        write_audit(connection, actor=actor, action=action, facts={"changed": changed, **facts})

    return note


def audit_export(store: Store, *, actor: str, action: str) -> None:
    """Note that somebody takes the numbers of a list away, before the first one leaves."""
    with store.transaction() as connection:
        write_audit(connection, actor=actor, action=action)


def told_import(found: ReadList, *, added: int, is_dry_run: bool) -> Imported:
    """Tell what an import of a file without a wrong line changed, or would change."""
    return Imported(
        rows=found.rows,
        added=added,
        already=len(found.good) - added,
        is_dry_run=is_dry_run,
        problems=list(found.problems[:SHOWN]),
        more_problems=max(len(found.problems) - SHOWN, 0),
    )


def refuse_wrong_lines(found: ReadList) -> None:
    """
    Refuse to import a file with wrong lines.

    Raises:
        WrongInputError: There are some; nothing was imported.
    """
    if found.problems:
        more = max(len(found.problems) - SHOWN, 0)
        raise WrongInputError(
            ConfigError(
                "lines of the file are wrong: nothing was imported",
                lines=list(found.problems[:SHOWN]),
                more_lines=more,
            )
        )
