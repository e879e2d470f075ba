"""
Delivery templates over REST: what this server can read of them, and a text tried on rows.

Read only: templates are files of a repository. They hold no personal data, so whoever may open
Airflow may see them; of their uses only those of DAGs that the caller may see.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import APIRouter, Depends, HTTPException

from smsflow_provider.core.content.examine import Finding, Severity
from smsflow_provider.core.content.template import SUFFIX, Template
from smsflow_provider.core.errors import ConfigError, NotFoundError, SmsflowError
from smsflow_provider.core.preparation.example_rows import example_rows
from smsflow_provider.core.preparation.prices import PriceTable, read_prices
from smsflow_provider.core.preparation.template_folder import TemplateFile, TemplateFolder, try_text
from smsflow_provider.core.store.template_uses import recent_uses
from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.find_store import find_store
from smsflow_provider.hooks.gateway import GatewayOutsideTasks
from smsflow_provider.plugins.api.access import may_read
from smsflow_provider.plugins.api.models.templates import (
    TemplateDetail,
    TemplateNote,
    Templates,
    TemplateSummary,
    TemplateText,
    TemplateTried,
    TemplateTry,
    TemplateUse,
    TriedRow,
)
from smsflow_provider.plugins.api.problems import wrong_input

router = APIRouter(tags=["templates"])

#: Texts that are tried at once, each in a process of its own; and seconds to wait for a turn.
_AT_ONCE = 4
_TURN_S = 10
_turns = threading.BoundedSemaphore(_AT_ONCE)


@cache
def _folder_at(path: Path) -> TemplateFolder:
    return TemplateFolder(path)


def reach_templates(user: GetUserDep) -> TemplateFolder:
    """
    Find the folder of templates, for whoever may open Airflow's pages.

    Raises:
        HTTPException: 403; the caller may not.
    """
    if not get_auth_manager().is_authorized_view(access_view=AccessView.WEBSITE, user=user):
        raise HTTPException(403, "templates are for who may open Airflow's pages")
    return _folder_at(SmsflowConfig.read().templates)


FolderDep = Annotated[TemplateFolder, Depends(reach_templates)]


def found_template(name: str, folder: FolderDep) -> TemplateFile:
    """
    Find a template by name.

    Raises:
        NotFoundError: There is none, or this server cannot read the folder.
    """
    found = folder.find(name)
    if found is None:
        raise NotFoundError("there is no such template in the folder that this server reads")
    return found


TemplateDep = Annotated[TemplateFile, Depends(found_template)]


@router.get("/templates")
def read_templates(folder: FolderDep, user: GetUserDep) -> Templates:
    """List the templates by name, each with its problems and who uses it."""
    uses = _uses_seen_by(user)
    return Templates(
        is_readable=folder.is_readable,
        templates=[
            TemplateSummary(**_summary(one, uses.get(one.name, []))) for one in folder.files()
        ],
    )


@router.get("/templates/{name:path}")
def read_template(found: TemplateDep, user: GetUserDep) -> TemplateDetail:
    """Show one template: its settings, its texts, and invented rows to try it on."""
    template = found.template
    uses = _uses_seen_by(user).get(found.name, [])
    return TemplateDetail(
        **_summary(found, uses),
        settings=template.settings.model_dump(mode="json", by_alias=True) if template else {},
        texts=_texts(template) if template else [],
        fields=list(template.columns) if template else [],
        required=list(template.required) if template else [],
        example_rows=[dict(row) for row in example_rows(template)] if template else [],
    )


@router.post("/templates/{name:path}/preview")
def preview_template(found: TemplateDep, asked: TemplateTry, folder: FolderDep) -> TemplateTried:
    """
    Show what people would read, of the file's text or of another one; keeps nothing.

    A text that cannot be used is no error here: ``problems`` says why. Rendered in a process
    with a limit of time and memory; 503 while too many are.
    """
    template = found.template
    if template is None:
        raise HTTPException(409, "the file of the template has problems: mend it first")
    if asked.language and asked.language not in template.variants:
        raise HTTPException(422, "the template has no text in this language")
    prices = _prices()
    gateway = template.settings.gateway or ""
    splits = _splits_of(gateway)
    if not _turns.acquire(timeout=_TURN_S):
        raise HTTPException(503, "too many texts are being tried: try again in a moment")
    try:
        with wrong_input():
            tried = try_text(
                template,
                asked.rows,
                body=asked.body,
                language=asked.language,
                blocks=folder.blocks_of(found.name),
                splits=splits,
                prices=prices,
            )
    finally:
        _turns.release()
    return TemplateTried(
        problems=list(tried.problems),
        currency=prices.currency if prices else "",
        splitting=gateway if splits else "",
        rows=[TriedRow.model_validate(row) for row in tried.rows],
    )


def _uses_seen_by(user: BaseUser) -> dict[str, list[TemplateUse]]:
    """Tell who uses which template; nobody, where there is no store: the files are there anyway."""
    seen: dict[str, list[TemplateUse]] = {}
    try:
        uses = recent_uses(find_store())
    except (AirflowNotFoundException, SmsflowError):
        return seen
    readable = {dag_id for dag_id in {one.dag_id for one in uses} if may_read(user, dag_id)}
    for one in uses:
        if one.dag_id in readable:
            use = TemplateUse(dag_id=one.dag_id, delivery=one.delivery_id, at=one.at)
            seen.setdefault(one.template, []).append(use)
    return seen


def _summary(found: TemplateFile, uses: list[TemplateUse]) -> dict[str, Any]:
    settings = found.template.settings if found.template else None
    return {
        "name": found.name,
        "file": f"{found.name}{SUFFIX}",
        "label": settings.label if settings else "",
        "sender": settings.sender if settings else "",
        "gateway": settings.gateway if settings else None,
        "languages": [code for code in found.template.variants if code] if found.template else [],
        "message_class": settings.message_class.value if settings else "",
        "typology": settings.typology if settings else None,
        "max_parts": settings.max_parts if settings else 0,
        "problems": list(found.problems),
        "notes": [_note(one) for one in found.findings],
        "used_by": uses,
    }


def _note(finding: Finding) -> TemplateNote:
    return TemplateNote(
        is_problem=finding.severity is Severity.PROBLEM,
        text=finding.text,
        hint=finding.hint,
        field=finding.field,
        line=finding.line,
    )


def _texts(template: Template) -> list[TemplateText]:
    return [
        TemplateText(language=code, text=text, first_line=template.first_lines.get(code, 1))
        for code, text in template.variants.items()
    ]


def _prices() -> PriceTable | None:
    """Read the prices; a table that cannot be read is lint's to tell, and there is no cost."""
    try:
        return read_prices(SmsflowConfig.read().rules)
    except ConfigError:
        return None


def _splits_of(gateway: str) -> Any:
    """Ask the dialect of a connection how it cuts. None: it is not known here."""
    if not gateway:
        return None
    try:
        return GatewayOutsideTasks(gateway).dialect().splitting
    except SmsflowError:
        return None
