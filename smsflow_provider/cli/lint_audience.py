"""What ``smsflow lint`` says of the rules of an audience: do they fit the dimension they name?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smsflow_provider.core.audience.rules.dimension import dimension_files, look_at_dimension
from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.document.problem import Problem
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.core.workflow.rules_field import path_of
from smsflow_provider.core.workflow.spec import BuildAudience

#: What ``bind`` says of a parameter, which only a run fills in.
_WAITS = "is still a template"


def problems_of_audience(activity: BuildAudience, folder: Path) -> Iterator[Problem]:
    """
    Bind the rules of *activity* to the dimension in *folder*, and say what does not fit.

    Args:
        activity: Of any source; without rules it has no problems here.
        folder: Of rules. A dimension that is not there, or has problems, is told elsewhere.

    Returns:
        Problems with their field below the activity; columns, links and filters with the near
        name. Parameters of a run are not judged.
    """
    if activity.rules is None or activity.dimension is None:
        return
    try:
        path = dimension_files(folder).get(activity.dimension)
    except AudienceError:
        return
    dimension = None if path is None else look_at_dimension(path)[0]
    if dimension is None:
        return
    # Most workflows hold no rules.
    from smsflow_provider.core.audience.rules.bind import bind  # noqa: PLC0415
    from smsflow_provider.core.audience.rules.tree import read_rules  # noqa: PLC0415

    try:
        bind(
            read_rules(activity.rules),
            dimension=dimension,
            now=utc_now(),
            columns=activity.columns,
            regardless_of_consent=activity.regardless_of_consent,
        )
    except AudienceError as error:
        told: Any = error.facts.get("problems", [error.problem])
        is_list = isinstance(activity.rules, list)
        yield from (_placed(line, is_list=is_list) for line in told if _WAITS not in line)


def _placed(told: str, *, is_list: bool) -> Problem:
    """Make a problem of ``rules.all[1].column: text (hint)``, its field as lines are kept."""
    place, colon, text = told.partition(": ")
    if not colon:
        return Problem(field="rules", text=told)
    root = place.split(".")[0].split("[")[0]
    steps = path_of(f"rules{place.removeprefix(root)}")
    if is_list and root == "rules" and steps[:1] == ("all",):
        # Problems call a bare list what it means: all.
        steps = steps[1:]
    return Problem(field=".".join(map(str, (root, *steps))), text=text)
