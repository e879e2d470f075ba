"""What maintenance needs, from Airflow's configuration and connections."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smsflow_provider.hooks.audience import remove_artifact
from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.gateway import SmsGatewayHook

if TYPE_CHECKING:
    from smsflow_provider.core.delivery.maintain import Upkeep

#: The word that stands for no archive at all.
NO_ARCHIVE = "none"


def make_upkeep(
    config: SmsflowConfig,
    *,
    actor: str,
    hook_of: Callable[[str], SmsGatewayHook] = SmsGatewayHook,
    archive: str | None = None,
) -> Upkeep:
    """
    Hand the core what its chores need.

    Args:
        hook_of: Makes the hook of a connection: another one outside tasks.
        archive: Another folder than the configured one; ``none``: no files.
    """
    from smsflow_provider.core.delivery.maintain import Upkeep  # noqa: PLC0415  loads polars

    return Upkeep(
        actor=actor,
        retention_days=config.retention_days,
        replies_days=config.replies_days,
        audience_days=config.audience_days,
        remove_file=remove_artifact,
        archive=_folder(archive or config.archive or f"{config.artifacts}/archive"),
        open_gateway=lambda conn_id: hook_of(conn_id).open(),
    )


def _folder(place: str) -> Any:
    """Find the folder: a path of this machine, or one of an object storage. None: no files."""
    if place == NO_ARCHIVE:
        return None
    if "://" not in place:
        return Path(place).absolute()
    from airflow.sdk import ObjectStoragePath  # noqa: PLC0415  not at DAG parse time

    return ObjectStoragePath(place)
