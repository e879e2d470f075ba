"""Opt-outs over REST: look a number up, add, remove, import, export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, HTTPException
from fastapi.responses import StreamingResponse

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.mask import mask_phone
from smsflow_provider.core.preparation.list_words import problem_of_scope
from smsflow_provider.core.preparation.number_import import read_list
from smsflow_provider.core.preparation.number_list import Raw
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.erased import erased_among
from smsflow_provider.core.store.number_lists import (
    count_known_opt_outs,
    opt_outs_of,
    recent_opt_outs,
    size_of_opt_outs,
)
from smsflow_provider.core.store.opt_outs import (
    OPT_OUT_COLUMNS,
    OptOut,
    add_opt_out_entries,
    iterate_opt_outs,
    remove_opt_outs,
)
from smsflow_provider.core.store.replies import SOURCE as REPLY
from smsflow_provider.core.store.scopes import read_scope
from smsflow_provider.plugins.api.access import AdministratorDep, StoreDep, may_send_all, name_of
from smsflow_provider.plugins.api.csv_answer import csv_answer
from smsflow_provider.plugins.api.idempotent import IdempotentRoute, asks_only
from smsflow_provider.plugins.api.models.numbers import (
    Changed,
    Imported,
    ListExport,
    NumberSearch,
    OptOutAdd,
    OptOutAnswer,
    OptOutEntry,
    OptOutImport,
    OptOutPage,
    OptOutRemove,
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
from smsflow_provider.plugins.api.problems import WrongInputError, wrong_input

router = APIRouter(tags=["opt-outs"], route_class=IdempotentRoute)

_STOPPED = (
    "the person wrote STOP: take the number off only if the person agreed anew, and say so"
    " with has_consented"
)


@router.get("/opt-outs")
def read_opt_outs(
    store: StoreDep, user: GetUserDep, limit: Limit = 50, before: Before = None
) -> OptOutPage:
    """
    List the newest entries of all lists, masked; and about how many there are.

    Who may not administer the list is told just that, so that a page need not try and fail.
    """
    if not may_send_all(user):
        return empty_page(OptOutPage)
    found = recent_opt_outs(store, limit=limit, before=moment_of(before))
    told = [_told(one) for one in found.entries]
    return told_page(OptOutPage, told, found=found, size=size_of_opt_outs(store))


@router.post("/opt-outs/search")
@asks_only
def search_opt_outs(asked: NumberSearch, store: StoreDep, _: AdministratorDep) -> OptOutAnswer:
    """Tell on which lists one number is, since when and why. Changes nothing."""
    number = read_number(asked.number, region=asked.region)
    return OptOutAnswer(
        phone_masked=mask_phone(number.phone),
        region=number.region,
        is_erased=bool(erased_among(store, [number.phone])),
        entries=[_told(one) for one in opt_outs_of(store, number.phone)],
    )


@router.post("/opt-outs", status_code=201)
def add_opt_out(added: OptOutAdd, store: StoreDep, user: AdministratorDep) -> Changed:
    """
    Put one number on a list; one that is on it stays as it is, with ``changed`` 0.

    Deliveries that are being sent look again before each message.
    """
    number = read_number(added.number, region=added.region)
    scope = _scope(added.scope)
    entry = OptOut(phone=number.phone, scope=scope, reason=added.reason, source=SOURCE)
    note = noted(name_of(user), "opt_out_added", scope=scope, reason=added.reason)
    return Changed(changed=add_opt_out_entries(store, [entry], note=note))


@router.post("/opt-outs/remove")
def remove_opt_out(removed: OptOutRemove, store: StoreDep, user: AdministratorDep) -> Changed:
    """
    Take one number off a list, or off every list: the person may be texted again.

    409 where the person wrote STOP and ``has_consented`` is not said.
    """
    number = read_number(removed.number, region=removed.region)
    scope = None if removed.every_scope else _scope(removed.scope)
    _check_consent(store, number.phone, scope, has_consented=removed.has_consented)
    note = noted(
        name_of(user),
        "opt_out_removed",
        scope="*" if scope is None else scope,
        reason=removed.reason,
        has_consented=removed.has_consented,
    )
    return Changed(changed=remove_opt_outs(store, [number.phone], scope=scope, note=note))


def _check_consent(store: Store, phone: int, scope: str | None, *, has_consented: bool) -> None:
    meant = [one for one in opt_outs_of(store, phone) if scope in (None, one.scope)]
    if not has_consented and any(one.source == REPLY for one in meant):
        raise HTTPException(409, _STOPPED)


@router.post("/opt-outs/import")
def import_opt_outs(given: OptOutImport, store: StoreDep, user: AdministratorDep) -> Imported:
    """
    Put the numbers of a file on lists, all or none.

    Columns ``scope``, ``reason`` and ``source`` are read too. With ``dry_run``, which holds
    where nothing else is said, it only tells what would change, with all wrong lines; else a
    wrong line is a 422, and nothing is imported.
    """
    scope = _scope(given.scope)
    with wrong_input():
        found = read_list(
            given.csv,
            column=given.column,
            facts=OPT_OUT_COLUMNS[1:4],
            region=given.region,
            check=lambda raw: problem_of_scope(raw.facts.get("scope", "")),
        )
        entries = [_entry(raw, phone, given, scope=scope) for raw, phone in found.good]
    if given.dry_run:
        keys = {(one.phone, one.scope) for one in entries}
        added = len(keys) - count_known_opt_outs(store, keys)
        return told_import(found, added=added, is_dry_run=True)
    refuse_wrong_lines(found)
    note = noted(name_of(user), "opt_outs_imported", rows=found.rows, scope=scope)
    added = add_opt_out_entries(store, entries, note=note)
    return told_import(found, added=added, is_dry_run=False)


def _entry(raw: Raw, phone: int, given: OptOutImport, *, scope: str) -> OptOut:
    facts = raw.facts
    return OptOut(
        phone=phone,
        scope=read_scope(facts.get("scope", "")) or scope,
        reason=facts.get("reason", "") or given.reason,
        source=facts.get("source", "") or f"import, {SOURCE}",
    )


@router.post("/opt-outs/export", response_class=StreamingResponse)
@asks_only
def export_opt_outs(_: ListExport, store: StoreDep, user: AdministratorDep) -> StreamingResponse:
    """Write every entry as CSV, numbers and all; who did is noted."""
    audit_export(store, actor=name_of(user), action="opt_outs_exported")
    return csv_answer("opt_outs.csv", columns=OPT_OUT_COLUMNS, pages=_pages(store))


def _pages(store: Store) -> Iterator[Iterable[Sequence[Any]]]:
    for page in iterate_opt_outs(store):
        yield [one.as_row() for one in page]


def _scope(text: str) -> str:
    """
    Read the name of a list.

    Raises:
        WrongInputError: No delivery asks such a list.
    """
    problem = problem_of_scope(text)
    if problem is not None:
        raise WrongInputError(ConfigError(problem))
    return read_scope(text)


def _told(one: OptOut) -> OptOutEntry:
    return OptOutEntry(
        phone_masked=mask_phone(one.phone),
        scope=one.scope,
        reason=one.reason,
        source=one.source,
        is_own_wish=one.source == REPLY,
        created_at=one.created_at,
    )
