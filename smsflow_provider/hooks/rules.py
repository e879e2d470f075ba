"""The rules of deliveries: what a DAG says of them, and what the folder of rules holds."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.population import Population

if TYPE_CHECKING:
    from smsflow_provider.core.content.template import Template
    from smsflow_provider.core.preparation.settings import PreparationSettings
    from smsflow_provider.core.store.connection import Store
    from smsflow_provider.hooks.config import SmsflowConfig

log = logging.getLogger(__name__)


def publish_rules_of(config: SmsflowConfig, store: Store) -> None:
    """
    Bring the rules about errors and replies into *store*, where receivers read them too.

    Never raises for what stands in the files: nothing that is being sent depends on them, and
    what was published before stays. Each problem is a line of the log.
    """
    from smsflow_provider.core.delivery.published import publish_rules  # noqa: PLC0415  psycopg

    try:
        publish_rules(store, config.rules)
    except ConfigError as error:
        problems: Any = error.facts["problems"]
        for problem in problems:
            log.warning("A file of rules is passed over: %s", problem)


def rules_data(rules: object) -> Any:
    """
    Check the rules of an audience when a DAG is parsed, as far as they can be without a database.

    Args:
        rules: Data, an object of ``rules.fluent``, or None. What only a run knows (the output of
            a task, a parameter) is checked in the run.

    Returns:
        Plain data.

    Raises:
        AudienceError: ``facts["problems"]`` lists all, each with its path and the near name.
    """
    data: Any = rules.as_data() if hasattr(rules, "as_data") else rules
    if data and not _waits_for_run(data):
        from smsflow_provider.core.audience.rules.tree import read_rules  # noqa: PLC0415  rare

        read_rules(data)
    return data


def _waits_for_run(data: object) -> bool:
    """Whether something in *data* is neither a value nor a collection of values."""
    if isinstance(data, Mapping):
        return any(map(_waits_for_run, data.values()))
    if isinstance(data, list | tuple):
        return any(map(_waits_for_run, data))
    return hasattr(data, "resolve") and hasattr(data, "iter_references")


def check_rules(*, exclude: object, weight: object) -> None:
    """
    Check the rules of a delivery when a DAG is parsed; loads no column library.

    Args:
        exclude: A mapping of the fields of ``Population``, one of these, or None.
        weight: A whole number from 0 to 100, or None.

    Raises:
        ConfigError: ``facts["problems"]`` lists all of them, with the near names.
    """
    problems = []
    if exclude is not None:
        problems += _problems_of(exclude)
    if weight is not None and (type(weight) is not int or not 0 <= weight <= 100):
        problems.append("weight: must be a whole number from 0 to 100")
    if problems:
        raise ConfigError("a delivery cannot have these rules", problems=problems)


def _problems_of(exclude: object) -> list[str]:
    given: Any = exclude
    try:
        Population.read(given, what="exclude")
    except ConfigError as error:
        found: Any = error.facts["problems"]
        return [f"exclude.{problem}" for problem in found]
    return []


def with_rules(
    settings: PreparationSettings,
    template: Template,
    *,
    config: SmsflowConfig,
    typology: str | None = None,
    exclude: Mapping[str, Any] | None = None,
    weight: int | None = None,
    budget: str | None = None,
) -> PreparationSettings:
    """
    Add the rules of a delivery to its settings.

    What the delivery says comes before what its template says.

    Args:
        settings: The others.
        template: Of the delivery.
        config: Says where the rules are.
        typology: Name; where neither says one, the file ``default``, if there is one.
        exclude: How its people are narrowed, on top of the typology.
        weight: Among deliveries where pressure rules count.
        budget: Name.

    Raises:
        ConfigError: No such typology, problems in it, or *exclude* does not go with it.
    """
    from smsflow_provider.core.preparation.typology_file import find_typology  # noqa: PLC0415

    told = template.settings
    name, found = find_typology(typology or told.typology, config.rules)
    own = Population() if exclude is None else Population.read(exclude, what="exclude")
    return replace(
        settings,
        typology_name=name,
        typology=found,
        population=found.population.merged(own),
        weight=told.weight if weight is None else weight,
        programme=told.programme,
        budget=budget or told.budget,
    )
