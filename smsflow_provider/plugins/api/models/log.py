"""What the log of a delivery's messages asks and answers over REST."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from smsflow_provider.core.states import MessageState
from smsflow_provider.plugins.api.models.deliveries import ArchivedAt


class _Answer(BaseModel):
    # What Python gives always stands in the answer, so clients need not ask whether it does.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class LoggedMessage(_Answer):
    """One message and what became of it."""

    position: int
    message_id: str = Field(description="What the gateway was told")
    recipient_id: str
    phone: str = Field(description="Masked")
    parts: int
    state: MessageState
    code: str = Field(description="As the gateway or the store named it; empty: none")
    meaning: str = Field(
        description="What the gateway's code means; empty: not known, or it is ours"
    )
    gateway_ref: str = Field(description="The gateway's own id; empty: none")
    changed_at: str | None


class MessageLogPage(_Answer):
    """A page of messages, in the order in which they were prepared."""

    # ``archived`` is there only once it is so.
    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    delivery: str
    messages: list[LoggedMessage]
    next: int | None = Field(description="Give it as `after` for the next page; null: the last")
    archived: ArchivedAt | None = Field(
        default=None, description="Once its messages have left the store"
    )


class MessageStep(_Answer):
    """One thing that happened to a message."""

    at: str | None = Field(description="Null: not known")
    event: str = Field(description="prepared, marked, outcome or receipt")
    kind: str = Field(description="Of an outcome or a receipt; empty: neither")
    code: str
    meaning: str = Field(description="As of the message")
    gateway_ref: str
    attempt: int | None = Field(description="From 1; null: not of one")


class MessageStory(LoggedMessage):
    """One message and all that happened to it, in order."""

    steps: list[MessageStep]


class ExportRequest(BaseModel):
    """What to export."""

    model_config = ConfigDict(extra="forbid")

    numbers: bool = Field(default=False, description="Whole numbers instead of masked ones")
    state: list[MessageState] | None = Field(
        default=None,
        max_length=len(MessageState),
        description="Only messages in one of these; null: all",
    )
