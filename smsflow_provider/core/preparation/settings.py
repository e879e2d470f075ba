"""What a preparation is told, besides the template and the audience."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from smsflow_provider.core.preparation.population import Population
from smsflow_provider.core.preparation.typology import TYPOLOGY_DEFAULT, Typology
from smsflow_provider.core.store.scopes import programme_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationSettings:
    """Settings of one preparation. The delivery keeps a copy, which the fingerprint covers."""

    #: What people call the delivery.
    label: str
    #: Airflow connection of the gateway.
    gateway: str
    #: ISO 3166 alpha-2 region in which national numbers are read. None: only international ones.
    region: str | None = None
    #: Walk the whole way and hand nothing over.
    dry_run: bool = False
    #: Opt-out lists to honour: the empty scope is the list for everything. That of the programme
    #: comes on top; see ``scopes``.
    opt_out_scopes: tuple[str, ...] = ("",)
    #: E.164 digits that may be texted in this environment. None: everybody.
    allowed: frozenset[int] | None = field(default=None, repr=False)
    #: Receipts can come back: a public address is configured.
    has_public_url: bool = False
    #: Name of the typology. Empty: there is none, not even a ``default``.
    typology_name: str = ""
    #: Its rules, as they were when the delivery was prepared.
    typology: Typology = TYPOLOGY_DEFAULT
    #: How the people are narrowed: what the typology says, and the delivery over it.
    population: Population = field(default_factory=Population)
    #: Weight among deliveries where pressure rules count planned texts, 0 to 100.
    weight: int = 5
    #: Opt-out programme of the delivery. None: it belongs to none.
    programme: str | None = None
    #: Budget it is paid from. None: ``default``, if there is one.
    budget: str | None = None
    #: Whoever started or prepared the delivery may not approve it.
    four_eyes: bool = False
    #: Who may decide about it, by Airflow's id. None: whoever has the right.
    reviewers: tuple[str, ...] = ()
    #: Id of the DAG: its deliveries have one control group. Empty outside Airflow.
    workflow: str = ""

    @property
    def scopes(self) -> tuple[str, ...]:
        """Opt-out lists that hold for every row, that of the programme among them."""
        own = () if self.programme is None else (programme_scope(self.programme),)
        return tuple(dict.fromkeys([*self.opt_out_scopes, *own]))

    def as_dict(self) -> dict[str, Any]:
        """
        Write what is kept: JSON values, and no phone number.

        The same settings give the same values on every machine.
        """
        kept = {each.name: getattr(self, each.name) for each in fields(self)}
        kept["allowed"] = None if self.allowed is None else len(self.allowed)
        # The sender asks these very lists again before each message leaves.
        kept["opt_out_scopes"] = list(self.scopes)
        kept["typology"] = self.typology.as_dict()
        kept["population"] = self.population.model_dump(mode="json")
        # Left out where they say nothing: deliveries of former versions have neither.
        rules = {"four_eyes": kept.pop("four_eyes"), "reviewers": list(kept.pop("reviewers"))}
        kept |= {name: rule for name, rule in rules.items() if rule}
        return kept
