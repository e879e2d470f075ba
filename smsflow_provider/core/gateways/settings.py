"""
What a connection says about a gateway, read once into a frozen class.

Only the fields a settings class names are read; anything else is refused with its near
name, and all problems are told at once. No field of a connection is ever passed on blindly.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_type_hints
from urllib.parse import urlsplit

from smsflow_provider.core.errors import ConfigError, UnknownSettingError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Secret(str):
    """A text that never shows: its repr is masked. ``str(secret)`` shows it, on purpose."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show only whether there is one."""
        return "Secret('***')" if self else "Secret('')"


NO_SECRET = Secret("")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFields:
    """The plain fields of a connection, however it is stored."""

    #: A host name, or a whole URL with a scheme and perhaps a path.
    host: str = ""
    #: ``http`` or ``https``; empty means the usual one of the gateway unless the host names one.
    schema: str = ""
    #: None: the scheme's own port.
    port: int | None = None
    login: str = ""
    password: str = field(default="", repr=False)
    #: The extra fields, decoded from JSON.
    extra: Mapping[str, object] = field(default_factory=dict, repr=False)


def setting(
    default: object,
    *,
    label: str,
    description: str,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    is_json: bool = False,
) -> Any:
    """
    Declare a setting that people give, in a connection's extra fields or elsewhere.

    The label and the description are what a form shows; the bounds (both or none) and the
    choices are also checked when the setting is read. Its type is that of its default.

    One that *is_json* is a text of JSON: an object may be given in its place, and it stays out of
    the repr, for it may be long and hold what people should keep elsewhere.
    """
    words = {"label": label, "description": description}
    bounds = {"minimum": minimum, "maximum": maximum, "choices": choices}
    return field(
        default=default, repr=not is_json, metadata={**words, **bounds, "is_json": is_json}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """What every gateway connection says. Vendors add fields of their own."""

    #: Taken where the connection names no scheme. A gateway on the internet wants ``https``.
    default_scheme: ClassVar[str] = "http"

    #: Scheme, host, port and perhaps a path; no slash at the end. Always the connection's own.
    base_url: str
    #: The connection's login; empty where the gateway wants none.
    username: str = ""
    #: The connection's password, or the gateway's API key.
    password: Secret = NO_SECRET
    #: Sockets open at once to this gateway, 1 to 1000.
    max_connections: int = setting(
        50,
        label="Connections",
        description="Most connections open to the gateway at once",
        minimum=1,
        maximum=1000,
    )
    #: Seconds to wait for a free connection and for it to open.
    connect_timeout_s: float = setting(
        5.0,
        label="Connect timeout (s)",
        description="Seconds to wait for a connection; running out of them sends nothing",
        minimum=0.1,
        maximum=300,
    )
    #: Seconds to wait for the whole answer; a call takes at most this and the one above.
    answer_timeout_s: float = setting(
        30.0,
        label="Answer timeout (s)",
        description="Seconds to wait for an answer; running out of them leaves messages unknown",
        minimum=0.1,
        maximum=600,
    )
    #: Parts a second over all senders, deliveries and workers. 0: no limit.
    parts_per_s: float = setting(
        0.0,
        label="Parts per second",
        description="Most parts a second through this connection, by all workers; 0: no limit",
        minimum=0,
        maximum=100_000,
    )
    #: Parts a second for each sender (number or name). 0: no limit.
    sender_parts_per_s: float = setting(
        0.0,
        label="Parts per second and sender",
        description="Most parts a second from one sender through this connection; 0: no limit",
        minimum=0,
        maximum=100_000,
    )
    #: Questions a second about messages in doubt, by all workers. 0: no limit.
    lookups_per_s: float = setting(
        10.0,
        label="Look-ups per second",
        description="Most questions a second about messages in doubt, by all workers; 0: no limit",
        minimum=0,
        maximum=1_000,
    )

    def problems(self) -> list[str]:
        """Say what is wrong with settings that can be read one by one, for vendors to override."""
        return []


SettingsT = TypeVar("SettingsT", bound=GatewaySettings)


def read_settings(kind: type[SettingsT], connection: ConnectionFields) -> SettingsT:
    """
    Read *connection* into settings of *kind*.

    Raises:
        UnknownSettingError: An extra field that *kind* does not know; the facts name it and
            its near name.
        ConfigError: A value that cannot be read or is out of bounds; ``facts["problems"]``
            lists all of them.
    """
    problems: list[str] = []
    values = read_values(kind, connection.extra, problems=problems)
    whole = replace(connection, schema=connection.schema or kind.default_scheme)
    base_url = _attempt(problems, base_url_of, whole)
    login, password = connection.login, Secret(connection.password)
    settings = kind(base_url=base_url or "", username=login, password=password, **values)
    problems += settings.problems()
    if problems:
        raise ConfigError("a gateway connection cannot be read", problems=problems)
    return settings


def read_values(
    kind: type[DataclassInstance], given: Mapping[str, object], *, problems: list[str]
) -> dict[str, Any]:
    """
    Read the settings of *kind* among *given*, each by the type of its default.

    What is wrong with a value joins *problems*, and that setting is left out.

    Raises:
        UnknownSettingError: A name that *kind* does not declare, with its near name.
    """
    known = declared_settings(kind)
    _check_names(given, known)
    # A form leaves null in a field that nobody filled.
    filled = {name: value for name, value in given.items() if value is not None}
    read = {
        name: _attempt(problems, _read_value, known[name], value) for name, value in filled.items()
    }
    return {name: value for name, value in read.items() if value is not None}


def declared_settings(kind: type[DataclassInstance]) -> dict[str, Field[Any]]:
    """Name the fields of *kind* made with `setting`, in order."""
    return {each.name: each for each in fields(kind) if "label" in each.metadata}


def form_fields(kind: type[GatewaySettings]) -> dict[str, dict[str, object]]:
    """
    Describe the extra fields of *kind* as a connection form wants them: label, description
    and a JSON schema with type, default and bounds.
    """
    hints = get_type_hints(kind)
    known = declared_settings(kind)
    return {name: _form_field(each, hints[name]) for name, each in known.items()}


def base_url_of(connection: ConnectionFields) -> str:
    """
    Join scheme, host, port and path of *connection*; no slash at the end.

    Raises:
        ValueError: No host, a scheme other than http and https, or a port given twice.

    Example:
        >>> base_url_of(ConnectionFields(host="gate.example", schema="https", port=8443))
        'https://gate.example:8443'
        >>> base_url_of(ConnectionFields(host="http://gate.example/sms/"))
        'http://gate.example/sms'
    """
    if not connection.host:
        raise ValueError("host: is missing")
    scheme = connection.schema or "http"
    whole = connection.host if "://" in connection.host else f"{scheme}://{connection.host}"
    parts = urlsplit(whole)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("host: must be a host name, or a URL that starts with http or https")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("host: must not hold a login, a query or a fragment")
    return f"{parts.scheme}://{_network_place(parts.netloc, connection.port)}{parts.path}".rstrip(
        "/"
    )


def _network_place(netloc: str, port: int | None) -> str:
    own = urlsplit(f"//{netloc}").port
    if own is not None and port not in {None, own}:
        raise ValueError(f"port: is {port}, but the host says {own}")
    return netloc if own is not None or port is None else f"{netloc}:{port}"


def _check_names(given: Mapping[str, object], known: Mapping[str, object]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        near = {name: difflib.get_close_matches(name, known, n=1) for name in unknown}
        raise UnknownSettingError("unknown settings", names=unknown, near=near, known=[*known])


def _attempt(problems: list[str], read: Callable[..., Any], /, *given: object) -> Any:
    """Call *read*; what it finds wrong joins *problems*, and the answer is None."""
    try:
        return read(*given)
    except ValueError as error:
        problems.append(str(error))
        return None


def _read_value(each: Field[Any], given: object) -> Any:
    if each.metadata.get("is_json") and isinstance(given, (dict, list)):
        return json.dumps(given, ensure_ascii=False)
    try:
        value = _READERS[type(each.default)](given)
    except (TypeError, ValueError):
        wanted = _JSON_TYPES[type(each.default)]
        raise ValueError(f"{each.name}: must be of type {wanted}") from None
    low, high = each.metadata["minimum"], each.metadata["maximum"]
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueError(f"{each.name}: must lie between {low:g} and {high:g}")
    choices = each.metadata["choices"]
    if choices and value not in choices:
        raise ValueError(f"{each.name}: must be one of {', '.join(map(repr, choices))}")
    return value


def _read_int(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, (int, str)):
        raise TypeError
    return int(given)


def _read_float(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        raise TypeError
    value = float(given)
    if not math.isfinite(value):
        raise ValueError
    return value


def _read_bool(given: object) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in {"true", "false"}:
        return given.lower() == "true"
    raise TypeError


def _read_text(given: object) -> str:
    if not isinstance(given, str):
        raise TypeError
    return given


_READERS: dict[type, Callable[[object], Any]] = {
    int: _read_int,
    float: _read_float,
    bool: _read_bool,
    str: _read_text,
    Secret: lambda given: Secret(_read_text(given)),
}
_JSON_TYPES: dict[type, str] = {
    int: "integer",
    float: "number",
    bool: "boolean",
    str: "string",
    Secret: "string",
}


def _form_field(each: Field[Any], hint: type) -> dict[str, object]:
    default = str(each.default) if hint is Secret else each.default
    schema: dict[str, object] = {"type": [_JSON_TYPES[hint], "null"], "default": default}
    named = {"minimum": "minimum", "maximum": "maximum", "choices": "enum"}
    bounds = {word: _plain(each.metadata[name]) for name, word in named.items()}
    schema |= {word: bound for word, bound in bounds.items() if bound not in (None, [])}
    if hint is Secret:
        schema["format"] = "password"
    words = {name: each.metadata[name] for name in ("label", "description")}
    return {**words, "schema": schema}


def _plain(bound: object) -> object:
    """Make a tuple a list, as JSON has it."""
    return list(bound) if isinstance(bound, tuple) else bound
