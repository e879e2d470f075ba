"""What a preparation is told, besides the template and the audience."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


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
    #: Opt-out lists to honour: the empty scope is the list for everything.
    opt_out_scopes: tuple[str, ...] = ("",)
    #: E.164 digits that may be texted in this environment. None: everybody.
    allowed: frozenset[int] | None = field(default=None, repr=False)
    #: Receipts can come back: a public address is configured.
    has_public_url: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Write what is kept: JSON values, and no phone number."""
        kept = asdict(self)
        kept["allowed"] = None if self.allowed is None else len(self.allowed)
        kept["opt_out_scopes"] = list(self.opt_out_scopes)
        return kept
