"""The quarantine over REST: look a number up, add, remove, import, export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from smsflow_provider.core.mask import mask_phone
from smsflow_provider.core.preparation.number_import import read_list
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.number_lists import (
    count_known_quarantined,
    quarantined_of,
    recent_quarantined,
    size_of_quarantine,
)
from smsflow_provider.core.store.quarantine import (
    QUARANTINE_COLUMNS,
    Quarantined,
    add_quarantined_entries,
    iterate_quarantined,
    remove_quarantined,
)
from smsflow_provider.plugins.api.access import AdministratorDep, StoreDep, may_send_all, name_of
from smsflow_provider.plugins.api.csv_answer import csv_answer
from smsflow_provider.plugins.api.idempotent import IdempotentRoute, asks_only
from smsflow_provider.plugins.api.models.numbers import (
    Changed,
    Imported,
    ListExport,
    ListImport,
    NumberSearch,
    QuarantineAdd,
    QuarantineAnswer,
    QuarantineEntry,
    QuarantinePage,
    QuarantineRemove,
)
from smsflow_provider.plugins.api.numbers import (
    SOURCE,
    Before,
    Limit,
    audit_export,
    empty_page,
    moment_of,
    noted,
    read_number,
    refuse_wrong_lines,
    told_import,
    told_page,
)
from smsflow_provider.plugins.api.problems import wrong_input

router = APIRouter(tags=["quarantine"], route_class=IdempotentRoute)


@router.get("/quarantine")
def read_quarantine(
    store: StoreDep, user: GetUserDep, limit: Limit = 50, before: Before = None
) -> QuarantinePage:
    """
    List the numbers that came into quarantine last, masked; and about how many there are.

    Who may not administer the list is told just that, so that a page need not try and fail.
    """
    if not may_send_all(user):
        return empty_page(QuarantinePage)
    found = recent_quarantined(store, limit=limit, before=moment_of(before))
    told = [_told(one) for one in found.entries]
    return told_page(QuarantinePage, told, found=found, size=size_of_quarantine(store))


@router.post("/quarantine/search")
@asks_only
def search_quarantine(
    asked: NumberSearch, store: StoreDep, _: AdministratorDep
) -> QuarantineAnswer:
    """Tell whether one number is in quarantine, or has errors that count. Changes nothing."""
    number = read_number(asked.number, region=asked.region)
    found = quarantined_of(store, number.phone)
    return QuarantineAnswer(
        phone_masked=mask_phone(number.phone), region=number.region, entry=found and _told(found)
    )


@router.post("/quarantine", status_code=201)
def add_quarantine(added: QuarantineAdd, store: StoreDep, user: AdministratorDep) -> Changed:
    """Put one number into quarantine; one that is in it stays as it is, with ``changed`` 0."""
    number = read_number(added.number, region=added.region)
    entry = Quarantined(phone=number.phone, reason=added.reason, source=SOURCE)
    note = noted(name_of(user), "quarantine_added", reason=added.reason)
    return Changed(changed=add_quarantined_entries(store, [entry], note=note))


@router.post("/quarantine/remove")
def remove_quarantine(
    removed: QuarantineRemove, store: StoreDep, user: AdministratorDep
) -> Changed:
    """Take one number out of quarantine: the next delivery tries it, with no errors counted."""
    number = read_number(removed.number, region=removed.region)
    note = noted(name_of(user), "quarantine_removed", reason=removed.reason)
    return Changed(changed=remove_quarantined(store, [number.phone], note=note))


@router.post("/quarantine/import")
def import_quarantine(given: ListImport, store: StoreDep, user: AdministratorDep) -> Imported:
    """
    Put the numbers of a file into quarantine, all or none.

    Columns ``reason`` and ``source`` are read too. With ``dry_run``, which holds where nothing
    else is said, it only tells what would change, with all wrong lines; else a wrong line is a
    422, and nothing is imported.
    """
    with wrong_input():
        found = read_list(
            given.csv,
            column=given.column,
            facts=QUARANTINE_COLUMNS[1:3],
            region=given.region,
            check=lambda _: None,
        )
    if given.dry_run:
        phones = {phone for _, phone in found.good}
        added = len(phones) - count_known_quarantined(store, phones)
        return told_import(found, added=added, is_dry_run=True)
    refuse_wrong_lines(found)
    entries = [
        Quarantined(
            phone=phone,
            reason=raw.facts.get("reason", "") or given.reason,
            source=raw.facts.get("source", "") or f"import, {SOURCE}",
        )
        for raw, phone in found.good
    ]
    note = noted(name_of(user), "quarantine_imported", rows=found.rows)
    added = add_quarantined_entries(store, entries, note=note)
    return told_import(found, added=added, is_dry_run=False)


@router.post("/quarantine/export", response_class=StreamingResponse)
@asks_only
def export_quarantine(_: ListExport, store: StoreDep, user: AdministratorDep) -> StreamingResponse:
    """Write the whole quarantine as CSV, numbers and all; who did is noted."""
    audit_export(store, actor=name_of(user), action="quarantine_exported")
    return csv_answer("quarantine.csv", columns=QUARANTINE_COLUMNS, pages=_pages(store))


def _pages(store: Store) -> Iterator[Iterable[Sequence[Any]]]:
    for page in iterate_quarantined(store):
        yield [one.as_row() for one in page]


def _told(one: Quarantined) -> QuarantineEntry:
    return QuarantineEntry(
        phone_masked=mask_phone(one.phone),
        reason=one.reason,
        source=one.source,
        errors=one.errors,
        last_error_at=one.last_error_at,
        quarantined_at=one.quarantined_at,
    )
