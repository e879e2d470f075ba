"""What the rules of an audience come to, over REST: no whole number, no address."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from smsflow_provider.plugins.api.models.review import AudienceCondition

#: Rows to show, at the most and by itself.
MOST_SHOWN = 20


class ExplainRequest(BaseModel):
    """What a run would be started with."""

    model_config = ConfigDict(extra="forbid")

    #: Parameters of the run, by name.
    conf: dict[str, Any] = Field(default={}, repr=False)
    #: The logical date, such as ``2026-03-01``. None: now.
    at: Annotated[str, Field(max_length=40)] | None = None
    #: Rows to show.
    sample: int = Field(default=MOST_SHOWN, ge=0, le=MOST_SHOWN)


class ExplainedAudience(BaseModel):
    """Whom the rules of an activity find now."""

    workflow: str = Field(description="The DAG")
    activity: str = Field(description="The task")
    dimension: str
    conn_id: str = Field(description="The connection to the database that was asked")
    everyone: int = Field(description="Before the first condition")
    count: int = Field(description="For whom every condition is true")
    steps: list[AudienceCondition]
    sample: list[dict[str, Any]] = Field(
        description="The first people by key: phones and addresses masked, names not", repr=False
    )
    sql: str = Field(description="What looks like a phone is masked", repr=False)
