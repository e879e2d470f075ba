"""Lists of numbers over REST: opt-outs and quarantine. Numbers in answers are masked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from smsflow_provider.core.preparation.list_words import LONGEST_REASON, problem_of_reason

#: Characters of a file that is handed in, at most.
LARGEST_FILE = 20_000_000


def _checked_reason(text: str) -> str:
    problem = problem_of_reason(text)
    if problem is not None:
        raise ValueError(problem)
    return text


Number = Annotated[str, Field(min_length=1, max_length=250, repr=False)]
Region = Annotated[
    str | None, Field(description="ISO 3166 country of numbers written the national way")
]
Reason = Annotated[
    str,
    Field(max_length=LONGEST_REASON, description="Why; it is kept, and no phone number is in it"),
    AfterValidator(_checked_reason),
]
NeededReason = Annotated[Reason, Field(min_length=3)]
Scope = Annotated[
    str,
    Field(
        max_length=250,
        description="The list: `sender:ACME`, `programme:loyalty`, or empty for every delivery",
    ),
]


class NumberSearch(BaseModel):
    """One number to look up."""

    model_config = ConfigDict(extra="forbid")

    number: Number
    region: Region = None


class OptOutAdd(BaseModel):
    """A number that gets no text from now on."""

    model_config = ConfigDict(extra="forbid")

    number: Number
    region: Region = None
    scope: Scope = ""
    reason: Reason = ""


class OptOutRemove(BaseModel):
    """A number that may get texts again."""

    model_config = ConfigDict(extra="forbid")

    number: Number
    region: Region = None
    scope: Scope = ""
    every_scope: bool = Field(default=False, description="Off every list")
    reason: NeededReason
    has_consented: bool = Field(
        default=False,
        description="The person agreed anew: needed where the person wrote STOP",
    )


class QuarantineAdd(BaseModel):
    """A number that cannot get a text."""

    model_config = ConfigDict(extra="forbid")

    number: Number
    region: Region = None
    reason: Reason = ""


class QuarantineRemove(BaseModel):
    """A number that is to be tried again."""

    model_config = ConfigDict(extra="forbid")

    number: Number
    region: Region = None
    reason: NeededReason


class ListImport(BaseModel):
    """A file of numbers: a CSV with a header, or one number a line."""

    model_config = ConfigDict(extra="forbid")

    csv: str = Field(min_length=1, max_length=LARGEST_FILE, repr=False)
    column: str = Field(default="phone", max_length=250, description="The column of numbers")
    region: Region = None
    reason: Reason = Field(default="", description="For rows that bring none")
    dry_run: bool = Field(default=True, description="Only tell what would change")


class OptOutImport(ListImport):
    """The same for opt-outs."""

    scope: Scope = Field(default="", description="The list of rows that name none")


class ListExport(BaseModel):
    """An empty JSON object: a form of another site cannot send one."""

    model_config = ConfigDict(extra="forbid")


class OptOutEntry(BaseModel):
    """One number on one list."""

    phone_masked: str
    scope: str = Field(description="Empty: no delivery at all")
    reason: str
    source: str = Field(description="A reply, an import, a person")
    is_own_wish: bool = Field(description="The person wrote STOP")
    created_at: datetime | None


class QuarantineEntry(BaseModel):
    """One number in quarantine, or with errors that count."""

    phone_masked: str
    reason: str
    source: str
    errors: int = Field(description="Errors that count, up to now")
    last_error_at: datetime | None
    quarantined_at: datetime | None = Field(description="null: not in quarantine")


class OptOutAnswer(BaseModel):
    """What the lists know of one number."""

    phone_masked: str
    region: str | None = Field(description="ISO 3166 country of the number")
    is_erased: bool = Field(description="The person was erased: no delivery texts the number")
    entries: list[OptOutEntry]


class QuarantineAnswer(BaseModel):
    """What the quarantine knows of one number."""

    phone_masked: str
    region: str | None = Field(description="ISO 3166 country of the number")
    entry: QuarantineEntry | None


class OptOutPage(BaseModel):
    """The newest entries of all lists."""

    may_administer: bool = Field(description="false: nothing of the list is told")
    entries: list[OptOutEntry]
    total: int
    total_is_estimate: bool
    is_cut: bool = Field(
        description="Entries of the last moment, such as of one file, are left out"
    )
    next: str | None = Field(description="Hand it in as `before`; null on the last page")


class QuarantinePage(BaseModel):
    """The numbers that came into quarantine last."""

    may_administer: bool = Field(description="false: nothing of the list is told")
    entries: list[QuarantineEntry]
    total: int
    total_is_estimate: bool
    is_cut: bool = Field(
        description="Entries of the last moment, such as of one file, are left out"
    )
    next: str | None = Field(description="Hand it in as `before`; null on the last page")


class Changed(BaseModel):
    """How many entries a write changed."""

    changed: int


class Imported(BaseModel):
    """What an import changed, or would change."""

    rows: int
    added: int = Field(description="Were not on the list")
    already: int = Field(description="Are on the list, or stand twice in the file")
    is_dry_run: bool
    problems: list[str] = Field(description="Wrong lines, each once: with any, nothing is imported")
    more_problems: int = Field(description="Wrong lines beyond those")
