"""What the exclusions are told: the rules of a delivery, and the lists of numbers they ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from smsflow_provider.core.preparation.exclusions.pressure import Pressure
from smsflow_provider.core.preparation.population import Population


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionRules:
    """
    Everything that narrows the people of one delivery.

    The columns that the rules ask for are rule columns of the candidates; see ``RuleColumn``.
    """

    population: Population = field(default_factory=Population)
    #: Names of the user filters; number n in the rule column ``filter`` is the n-th of them.
    filters: tuple[str, ...] = ()
    #: Opt-out lists that hold for every row. The list of each row's own sender comes on top.
    scopes: tuple[str, ...] = ("",)
    #: In the order in which they are tried.
    pressures: tuple[Pressure, ...] = ()
    #: Name of the workflow: its control group is drawn alike every time.
    draw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """
    Numbers (UInt64, no nulls) of the lists that the rules ask; nothing is left out silently.

    A list that a rule asks for and that is not here is an error, not an empty list.
    """

    #: By scope; see ``scopes_of``.
    opt_outs: Mapping[str, pl.Series] = field(repr=False)
    quarantined: pl.Series = field(repr=False)
    #: By name of the audience.
    audiences: Mapping[str, pl.Series] = field(default_factory=dict, repr=False)
    #: The only numbers that may be texted in this environment. None: all.
    allowed: pl.Series | None = field(default=None, repr=False)
    #: By name of a pressure rule: phone UInt64 (each once) and count Int32.
    contacts: Mapping[str, pl.DataFrame] = field(default_factory=dict, repr=False)
