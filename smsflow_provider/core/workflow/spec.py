"""
A workflow as data: who, what, when, and in which order. Nothing here touches Airflow.

A model checks its own fields; what one activity says about another is checked by
``plan.problems``.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)

from smsflow_provider.core.audience.choice import (
    COMPANIONS,
    NEEDS,
    USUAL,
    SourceKind,
    detail_problems,
    name_problems,
)
from smsflow_provider.core.audience.limits import USUAL_ROWS, USUAL_TIME
from smsflow_provider.core.preparation.population import Population
from smsflow_provider.core.workflow.duration import check_duration, read_duration
from smsflow_provider.core.workflow.parameter import Parameter
from smsflow_provider.core.workflow.problem import refusal
from smsflow_provider.core.workflow.rules_field import check_rules
from smsflow_provider.core.workflow.schedule import Frozen, Schedule

#: The parameter every scheduled workflow gets by itself.
SEND_IN_BACKFILL = "send_in_backfill"

_ID = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CALLABLE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_REGION = re.compile(r"[A-Z]{2}")


def check_id(text: str) -> str:
    """Accept ``<team>.<campaign>``: parts of letters, digits, ``_`` and ``-``."""
    if len(text) > 250 or _ID.fullmatch(text) is None:
        raise refusal(
            f"{text!r} is not a workflow id",
            "write <team>.<campaign> with letters, digits, '_' and '-'",
        )
    return text


def check_name(text: str) -> str:
    """Accept the name of an activity: it becomes a task id, so no dots and no spaces."""
    if _NAME.fullmatch(text) is None:
        raise refusal(
            f"{text!r} cannot name an activity",
            "use letters, digits, '_' and '-', at most 200",
        )
    return text


def check_parameter_name(text: str) -> str:
    """Accept what ``params.<name>`` can say, unless smsflow adds it by itself."""
    if _PARAMETER.fullmatch(text) is None:
        raise refusal(f"{text!r} cannot name a parameter", "use letters, digits and '_'")
    if text == SEND_IN_BACKFILL:
        raise refusal(f"{text!r} is added by itself to scheduled workflows", "choose another name")
    return text


def check_callable(text: str) -> str:
    """Accept ``package.module:function``; nothing is imported here."""
    if _CALLABLE.fullmatch(text) is None:
        raise refusal(f"{text!r} does not name a function", "write package.module:function")
    return text


def check_region(text: str) -> str:
    """Accept two capital letters, the ISO 3166 code of a country."""
    if _REGION.fullmatch(text) is None:
        raise refusal(f"{text!r} is not a country code", "two capital letters, such as FR")
    return text


Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
Name = Annotated[str, AfterValidator(check_name)]
Duration = Annotated[timedelta, BeforeValidator(read_duration), AfterValidator(check_duration)]


def _field_of(kind: SourceKind) -> str:
    """Name the field of a source: a function is named by text here."""
    return "callable" if kind is SourceKind.CALLABLE else str(kind)


_SOURCES = tuple(map(_field_of, SourceKind))


class BuildAudience(Frozen):
    """
    Who: one population, computed anew in every run, from exactly one source.

    Example:
        >>> BuildAudience(sql="SELECT phone FROM customers", conn_id="crm").phone_column
        'phone'
    """

    kind: Literal["build_audience"] = "build_audience"
    #: Source: an audience saved before, by name.
    audience: Text | None = None
    #: How long ago the people of *audience* may have been computed (``2d``). None: at any time.
    max_age: Duration | None = None
    #: What it does when they are older: fail, or warn and go on.
    on_stale: Literal["fail", "warn"] = "fail"
    #: Source: conditions people of the *dimension* must meet; ``{{ params.x }}`` takes a parameter
    #: of the run, which keeps its type.
    rules: Annotated[dict[str, Any] | list[Any] | None, BeforeValidator(check_rules)] = None
    #: Whom the rules are about: ``rules/dimensions/<name>.yaml``.
    dimension: Text | None = None
    #: Columns that the audience keeps, for the template. Empty: all of the source; with rules and
    #: tables none but the phone and the id.
    columns: tuple[Text, ...] = ()
    #: Also take people who did not consent, where the dimension knows: for messages that need none.
    regardless_of_consent: StrictBool = False
    #: Source: a table, ``schema.table`` or ``table``; only the columns named here are read.
    table: Text | None = None
    #: Source: a query. Values come bound, from *parameters*; the text itself is not templated.
    sql: Text | None = None
    #: Airflow connection of the query or the table; of rules, if not the dimension's own.
    conn_id: Text | None = None
    #: Longest time of a query, from asking to the last row. None: no limit.
    time_limit: Duration | None = USUAL_TIME
    #: Most rows a query may find; beyond it there is no audience. None: no limit.
    row_limit: Annotated[int, Field(strict=True, ge=1)] | None = USUAL_ROWS
    #: Count how many are left after each condition, in a second query beside the first.
    count_steps: StrictBool = True
    #: Values of the query by name; ``{{ params.x }}`` takes a parameter of the run.
    parameters: dict[str, Any] = Field(default_factory=dict)
    #: Source: a CSV, Parquet or Excel file, any ObjectStoragePath.
    file: Text | None = None
    #: How the file is to be read: ``delimiter``, ``encoding``, ``sheet``, ``bad_lines``.
    file_options: dict[str, Any] = Field(default_factory=dict)
    #: Source: an API behind *conn_id*; ``endpoint``, ``rows``, ``fields``, ``pages`` and so on.
    http: dict[str, Any] | None = None
    #: Source: what another task returned, as JSON: ``uri``, ``count`` and ``fingerprint``.
    reference: Text | None = None
    #: Source: ``package.module:function`` that returns a pandas frame.
    callable: Annotated[str, AfterValidator(check_callable)] | None = None
    #: Arguments of the function by name; ``{{ params.x }}`` as in *parameters*.
    op_kwargs: dict[str, Any] = Field(default_factory=dict)
    #: Column with the phone number, in any writing.
    phone_column: Text = "phone"
    #: Column with the recipient's id. None: the row's number.
    id_column: Text | None = None
    #: What an empty population does: fail, skip what follows, or continue.
    on_empty: Literal["fail", "skip", "continue"] = "fail"
    #: Name under which the population is saved for other workflows.
    save_as: Text | None = None
    #: What becomes of those saved under it before: the new ones take their place, or come behind.
    save_mode: Literal["update", "append"] = "update"
    #: When the population is computed: whenever the task runs, or once in a run.
    refresh: Literal["each_try", "each_run"] = "each_try"
    #: Activities that must be done before this one, besides those it refers to.
    after: tuple[str, ...] = ()

    @model_validator(mode="after")
    def check_source(self) -> Self:
        """Refuse none or several sources, and what belongs to another source."""
        given = {name for name in type(self).model_fields if getattr(self, name)}
        sources = [kind for kind in SourceKind if _field_of(kind) in given]
        if len(sources) != 1:
            found = " and ".join(map(_field_of, sources)) or "none"
            raise refusal(
                f"needs exactly one source, found {found}", f"one of {', '.join(_SOURCES)}"
            )
        self._check_company(sources[0], given)
        return self

    def _check_company(self, source: SourceKind, given: set[str]) -> None:
        written = given & self.model_fields_set
        limits = {
            name: kinds for name, (usual, kinds) in USUAL.items() if getattr(self, name) != usual
        }
        homes = COMPANIONS | limits
        strangers = [name for name in homes if name in written and source not in homes[name]]
        if strangers:
            raise refusal(f"{' and '.join(strangers)} cannot go with {_field_of(source)}")
        fields = {name: getattr(self, name) for name in written}
        details = detail_problems(fields) + name_problems(
            # A name that is filled in when the run starts is judged then.
            {name: "later" if _is_filled_in(value) else value for name, value in fields.items()}
        )
        if details:
            raise refusal("; ".join(details))
        for name, what in NEEDS.get(source, ()):
            if name not in given:
                raise refusal(f"{_field_of(source)} needs {name}", f"name {what}")
        if source is SourceKind.RULES and {"phone_column", "id_column"} & written:
            raise refusal("phone_column and id_column are the dimension's, where there are rules")
        if self.sql and ("{{" in self.sql or "{%" in self.sql):
            raise refusal(
                "sql must not be a template: a value written into it would not be bound",
                "put the value under parameters and bind it by name",
            )


def _is_filled_in(value: object) -> bool:
    return isinstance(value, str) and "{{" in value


class SmsDelivery(Frozen):
    """
    What, and on whose word: one delivery, prepared, reviewed by a person, sent, reported.

    Example:
        >>> SmsDelivery(audience="customers", template="sale", review_within="48h").review_within
        datetime.timedelta(days=2)
    """

    kind: Literal["sms_delivery"] = "sms_delivery"
    #: Name of the build_audience activity whose population gets the delivery.
    audience: str | None = None
    #: Name of the delivery template (``templates/<name>.sms.j2``).
    template: Text
    #: Airflow connection of the gateway. None: the template says.
    gateway: Text | None = None
    #: What people read in reviews and reports. None: the template's label.
    label: Text | None = None
    #: Country of numbers written without a prefix, ISO 3166. None: the template says.
    region: Annotated[str, AfterValidator(check_region)] | None = None
    #: Name of the typology (``rules/typologies/<name>.yaml``). None: the template says, or
    #: ``default``.
    typology: Text | None = None
    #: How its people are narrowed, on top of what the typology says: ``filters``, ``audiences``,
    #: ``duplicates``, ``numbers``, ``control_group``, ``size_limit``.
    exclude: Population | None = None
    #: Weight among deliveries where pressure rules count planned texts, 0 to 100. None: the
    #: template says.
    weight: Annotated[int, Field(strict=True, ge=0, le=100)] | None = None
    #: Name of the budget it is paid from. None: the template says, or ``default``.
    budget: Text | None = None
    #: Walk every step and hand nothing to the gateway.
    dry_run: StrictBool = False
    #: How long the review may take (``48h``). None: no limit.
    review_within: Duration | None = None
    #: What a review that took too long does: fail the run, or skip what follows.
    on_expiry: Literal["fail", "skip"] = "fail"
    #: What a rejection does: skip what follows, or fail the run.
    on_reject: Literal["skip", "fail"] = "skip"
    #: Users who may decide, by Airflow user id. Empty: whoever Airflow allows.
    reviewers: tuple[Text, ...] = ()
    #: Whether somebody else than who started or prepared it must approve it.
    four_eyes: StrictBool = False
    #: Whether a backfilled run may send. A run can also say so by its own parameter.
    send_in_backfill: StrictBool = False
    #: Senders that share the delivery, 1 to 16: as many mapped ``send`` tasks.
    workers: Annotated[int, Field(strict=True, ge=1, le=16)] = 1
    #: Activities that must be done before this one, besides its audience.
    after: tuple[str, ...] = ()


Activity = Annotated[BuildAudience | SmsDelivery, Field(discriminator="kind")]

#: The kinds of activities, by the word that names them.
KINDS: dict[str, type[BuildAudience | SmsDelivery]] = {
    "build_audience": BuildAudience,
    "sms_delivery": SmsDelivery,
}


class Workflow(Frozen):
    """
    A whole workflow. Compiled to one Airflow DAG whose id is *id*.

    Its fields are right when it exists; whether its activities fit together is what
    ``plan.problems`` says.

    Example:
        >>> Workflow(
        ...     id="marketing.spring_sale",
        ...     activities={
        ...         "customers": BuildAudience(file="s3://crm/customers.parquet"),
        ...         "sms": SmsDelivery(audience="customers", template="spring_sale"),
        ...     },
        ... ).owner
        'airflow'
    """

    #: ``<team>.<campaign>``; the DAG id.
    id: Annotated[str, AfterValidator(check_id)]
    #: What people read. None: the id.
    label: Text | None = None
    #: Markdown, shown with the DAG.
    description: str = ""
    #: None: runs are started by hand or over the API only.
    schedule: Schedule | None = None
    #: Activities by name. Their order in the file breaks ties, references decide.
    activities: dict[Name, Activity] = Field(min_length=1)
    #: What a run may be started with, by name.
    params: dict[Annotated[str, AfterValidator(check_parameter_name)], Parameter] = Field(
        default_factory=dict
    )
    owner: Text = "airflow"
    tags: tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...] = ()
    #: First day of the schedule, in its time zone. None: from now on.
    start_date: date | None = None
    #: Last day of the schedule, in its time zone. None: no end.
    end_date: date | None = None

    @model_validator(mode="after")
    def check_schedule(self) -> Self:
        """Refuse dates without a schedule or in the wrong order, and what no timer can give."""
        if self.schedule is None and (self.start_date or self.end_date):
            raise refusal("start_date and end_date need a schedule")
        if self.start_date and self.end_date and self.end_date < self.start_date:
            raise refusal("end_date is before start_date")
        missing = [name for name, each in self.params.items() if not each.has_default]
        if self.schedule is not None and missing:
            raise refusal(
                f"a scheduled run cannot be asked for {', '.join(missing)}",
                "give each of them a default",
            )
        return self
