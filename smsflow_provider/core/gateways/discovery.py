"""
Gateways that other packages bring, by entry points of the group ``smsflow.gateways``.

A package that cannot be used takes no other down: it is kept as a `BrokenGateway`, and only who
asks for its connection type meets the error, which names the package.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.gateway_type import GatewayType
from smsflow_provider.core.gateways.settings import GatewaySettings

#: The group of entry points.
GROUP = "smsflow.gateways"
#: Who brings the gateways that come with smsflow.
OWN_PACKAGE = "smsflow-provider"

_CONN_TYPE = re.compile(r"sms_[a-z0-9_]{1,60}")
_CAUSE_LENGTH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenGateway:
    """What was declared and cannot be used."""

    #: The connection type, as far as it is known: the name of the entry point.
    name: str
    #: Distributions that declare it.
    packages: tuple[str, ...]
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """The gateways there are, and those that cannot be used."""

    types: Mapping[str, GatewayType]
    broken: Mapping[str, BrokenGateway]

    def find(self, conn_type: str) -> GatewayType:
        """
        Look up a connection type.

        Raises:
            ConfigError: It is not one of a gateway; the facts name the near and the known ones,
                and packages that cannot be used. Or it is of such a package; the facts say why.
        """
        if conn_type in self.types:
            return self.types[conn_type]
        if broken := self.broken.get(conn_type):
            raise ConfigError(
                "the package of this gateway cannot be used",
                conn_type=conn_type,
                packages=[*broken.packages],
                cause=broken.problem,
            )
        near = difflib.get_close_matches(conn_type, self.types, n=1)
        facts = {"given": conn_type, "near": near, "known": [*self.types]}
        unusable = sorted({name for each in self.broken.values() for name in each.packages})
        more = {"broken_packages": unusable} if unusable else {}
        raise ConfigError("not a gateway's connection type", **facts, **more)


def discover(entry_points: Iterable[EntryPoint], *, shipped: Iterable[GatewayType]) -> Discovered:
    """
    Load what *entry_points* name, beside the *shipped* ones.

    A connection type that two packages bring is nobody's: which of them was meant cannot be
    known, and the wrong one could send a campaign with the wrong dialect.
    """
    brought: dict[str, list[tuple[str, GatewayType]]] = {}
    broken: dict[str, BrokenGateway] = {}
    for kind in shipped:
        brought.setdefault(kind.conn_type, []).append((OWN_PACKAGE, kind))
    for entry in sorted(entry_points, key=lambda each: (each.name, _package_of(each))):
        package = _package_of(entry)
        loaded = _load(entry)
        if isinstance(loaded, str):
            broken[entry.name] = BrokenGateway(name=entry.name, packages=(package,), problem=loaded)
            continue
        for kind in loaded:
            brought.setdefault(kind.conn_type, []).append((package, kind))
    broken |= dict(_clashes(brought))
    types = {name: each[0][1] for name, each in brought.items() if len(each) == 1}
    return Discovered(types=types, broken=broken)


def _clashes(
    brought: Mapping[str, list[tuple[str, GatewayType]]],
) -> Iterator[tuple[str, BrokenGateway]]:
    for name, each in brought.items():
        if len(each) > 1:
            packages = tuple(package for package, _ in each)
            problem = "several packages bring this connection type: remove all but one"
            yield name, BrokenGateway(name=name, packages=packages, problem=problem)


def _package_of(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "a package without a name"


def _load(entry: EntryPoint) -> tuple[GatewayType, ...] | str:
    """Load one entry point; a text says why it cannot be used."""
    try:
        found = entry.load()
        kinds = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        problems = [text for kind in kinds for text in _problems_of(kind)]
    except (Exception, SystemExit) as error:  # noqa: BLE001  it is somebody else's module
        return f"{entry.value}: {type(error).__name__}: {error}"[:_CAUSE_LENGTH]
    if problems or not kinds:
        return f"{entry.value}: {'; '.join(problems) or 'is empty'}"
    return kinds


def _problems_of(kind: object) -> Iterator[str]:
    if not isinstance(kind, GatewayType):
        yield f"is a {type(kind).__name__}, not a GatewayType"
        return
    if not _CONN_TYPE.fullmatch(kind.conn_type):
        yield f"the connection type {kind.conn_type!r} is not sms_ and a word in small letters"
    if kind.dialect.name != kind.conn_type:
        yield f"its dialect is named {kind.dialect.name!r}, not {kind.conn_type!r}"
    settings: object = kind.settings  # nobody checked the types of another package
    if not (isinstance(settings, type) and issubclass(settings, GatewaySettings)):
        yield "its settings are no GatewaySettings"
    elif not kind.reads_by_connection:
        # Receipts of every type are read by one receiver, without connections.
        kind.make(kind.settings(base_url=""), utc_now)
