"""What every answer that is no success looks like."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FieldProblem(BaseModel):
    """What is wrong with one field of the request."""

    field: str = Field(description="Its name; empty: of none, or of several")
    text: str


class Problem(BaseModel):
    """An error as problem+json (RFC 9457). More facts may stand beside these fields."""

    model_config = ConfigDict(extra="allow")

    title: str = Field(description="What is wrong, and where it helps what to do")
    status: int
    problems: list[FieldProblem] | None = Field(
        default=None, description="All that is wrong with the request, at once"
    )
