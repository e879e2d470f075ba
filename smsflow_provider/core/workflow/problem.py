"""The problems of a workflow, made into one error."""

from __future__ import annotations

from collections.abc import Sequence

from smsflow_provider.core.document.problem import Problem, in_file, near, near_or_all, refusal
from smsflow_provider.core.errors import WorkflowError

__all__ = ["Problem", "error_of", "in_file", "near", "near_or_all", "refusal"]


def error_of(problems: Sequence[Problem], *, what: str) -> WorkflowError:
    """Make one error of all *problems* of *what* (a workflow id, a folder)."""
    noun = "problem" if len(problems) == 1 else "problems"
    return WorkflowError(
        f"{len(problems)} {noun} in {what}", problems=[str(problem) for problem in problems]
    )
