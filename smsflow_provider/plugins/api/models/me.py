"""What the caller is told of themselves."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Rights(BaseModel):
    """What the caller may do whatever the delivery. Rights on one DAG are told with it."""

    administer: bool = Field(description="Opt-outs, quarantine, test messages")
    switch: bool = Field(description="Switch everything off and on")


class Me(BaseModel):
    """Who calls."""

    id: str = Field(description="Airflow's id, as in approvals; a number with some logins")
    name: str = Field(description="As in logs of what was done; empty: Airflow does not say")
    may: Rights
