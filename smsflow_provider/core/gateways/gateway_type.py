"""
One kind of gateway: a connection type with its settings, its dialect and its form.

A package of its own brings a gateway by an entry point of the group ``smsflow.gateways`` that
names a `GatewayType`, or a tuple of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smsflow_provider.core.gateways.base import Dialect, Feature
from smsflow_provider.core.gateways.error_table import ErrorTable, table_names
from smsflow_provider.core.gateways.settings import GatewaySettings, form_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayType:
    """One kind of gateway, as a connection type."""

    #: ``sms_`` and a word; the same as the dialect's name.
    conn_type: str
    #: What people read where they choose a connection type.
    label: str
    settings: type[GatewaySettings]
    #: A class of dialects. What it says of itself is what a connection can do, but for ``chosen``.
    dialect: type[Any]
    #: Makes the dialect from settings and a clock.
    make: Callable[[Any, Callable[[], datetime]], Dialect]
    #: Its calls cannot be read without the settings of the connection they are about.
    reads_by_connection: bool = False
    #: What its codes mean, and what they say about numbers. None: the table of this package that
    #: is named like the type, ``kannel`` for ``sms_kannel``, if there is one.
    errors: ErrorTable | None = None
    #: Features that a connection has or lacks by its settings.
    chosen: frozenset[Feature] = frozenset()
    #: Settings describe all of it: batches and the way of cutting as well.
    is_described: bool = False
    hidden_fields: tuple[str, ...] = ()
    relabeling: Mapping[str, str] = field(default_factory=dict)
    placeholders: Mapping[str, str] = field(default_factory=dict)

    def error_table(self) -> ErrorTable | None:
        """Find what its codes mean: its own table, or the one of this package. None: neither."""
        if self.errors is not None:
            return self.errors
        name = self.conn_type.removeprefix("sms_")
        return ErrorTable.of(name) if name in table_names() else None

    def form(self, *, hook_class_name: str) -> dict[str, object]:
        """
        Describe the connection type the way provider info wants it under ``connection-types``.

        Args:
            hook_class_name: Import path of the hook that tests such a connection.
        """
        return {
            "connection-type": self.conn_type,
            "hook-class-name": hook_class_name,
            "hook-name": self.label,
            "ui-field-behaviour": {
                "hidden-fields": list(self.hidden_fields),
                "relabeling": dict(self.relabeling),
                "placeholders": dict(self.placeholders),
            },
            "conn-fields": form_fields(self.settings),
        }
