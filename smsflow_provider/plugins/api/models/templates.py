"""Delivery templates over REST: what stands in their files, and a text tried on rows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

#: Characters of a text that is tried, and of one value of a row.
LONGEST_TEXT = 20_000
LONGEST_VALUE = 1_000
MOST_ROWS = 20
MOST_FIELDS = 100


def _check_value(given: object, check: ValidatorFunctionWrapHandler) -> object:
    """Say once what a value may be: else each kind has its own problem, and none its column."""
    try:
        return check(given)
    except ValidationError:
        raise PydanticCustomError(
            "value",
            "Input should be a text of up to {most} characters, a number, true, false or null",
            {"most": LONGEST_VALUE},
        ) from None


Text = Annotated[str, Field(max_length=LONGEST_VALUE)]
Value = Annotated[Text | int | float | bool | None, WrapValidator(_check_value)]


class TemplateNote(BaseModel):
    """What lint finds in a template that can be used."""

    is_problem: bool = Field(description="It would stop a preparation or leave people out")
    text: str
    hint: str
    field: str
    line: int | None


class TemplateUse(BaseModel):
    """A workflow whose newest delivery by this template the caller may see."""

    dag_id: str
    delivery: str
    at: datetime


class TemplateSummary(BaseModel):
    """One template of the folder."""

    name: str
    file: str = Field(description="In the folder of the templates")
    label: str
    sender: str = Field(description="Empty: the gateway's own")
    gateway: str | None = Field(description="The connection; null: the workflow's")
    languages: list[str] = Field(description="The default one first; empty: there is one text")
    message_class: str
    typology: str | None
    max_parts: int
    problems: list[str] = Field(description="Why it cannot be used, as `smsflow lint` says it")
    notes: list[TemplateNote]
    used_by: list[TemplateUse] = Field(description="By the newest 1,000 deliveries")


class Templates(BaseModel):
    """The templates that this server can read."""

    is_readable: bool = Field(description="false: the folder is not on this server")
    templates: list[TemplateSummary]


class TemplateText(BaseModel):
    """The text of one language."""

    language: str
    text: str
    first_line: int = Field(description="Line of the file at which it begins")


class TemplateDetail(TemplateSummary):
    """One template with its texts."""

    settings: dict[str, Any] = Field(description="The front matter, with what holds by itself")
    texts: list[TemplateText]
    fields: list[str] = Field(description="Columns that the texts read")
    required: list[str] = Field(description="Those that every row must have")
    example_rows: list[dict[str, Value]] = Field(description="Invented: nobody's data")


class TemplateTry(BaseModel):
    """A text to try."""

    model_config = ConfigDict(extra="forbid")

    body: str | None = Field(
        default=None,
        max_length=LONGEST_TEXT,
        description="In the place of the text; null: that of the file",
    )
    language: str = Field(default="", max_length=35, description="Of `body`; empty: the default")
    rows: list[dict[Annotated[str, Field(max_length=250)], Value]] = Field(
        min_length=1, max_length=MOST_ROWS, repr=False
    )


class OutsideGsm(BaseModel):
    """A character that makes every part of a text hold 70 units in the place of 160."""

    at: int = Field(description="Place in the text, from 0, in code points")
    character: str


class TriedRow(BaseModel):
    """What one row gives: a text with its measures, or why there is none."""

    row: int = Field(description="From 1")
    problem: str = Field(default="", description="Why there is no text; empty: there is one")
    language: str = ""
    sender: str = ""
    sender_problem: str | None = None
    region: str | None = Field(default=None, description="Of the row's `phone`")
    text: str = Field(default="", repr=False)
    encoding: str = ""
    units: int = 0
    parts: int = 0
    part_starts: list[int] = Field(default=[], description="Code points before each later part")
    is_cut: bool = Field(default=False, description="A part may begin inside a character")
    is_too_long: bool = Field(default=False, description="More parts than `max_parts`")
    cost: str | None = Field(default=None, description="Of all parts; null: no price is known")
    unicode: list[OutsideGsm] = Field(default=[], description="The first 20 of them")
    unicode_count: int = 0


class TemplateTried(BaseModel):
    """What people would read."""

    problems: list[str] = Field(description="Why the text cannot be used; lines are the text's")
    currency: str = Field(description="Empty: no prices are known here")
    splitting: str = Field(description="The gateway whose way of cutting holds; empty: the worst")
    rows: list[TriedRow]
