"""
What the rules of a workflow's audience come to, over REST: counts, masked rows, SQL.

The workflow is the one Airflow keeps, the dimension the file in the folder of rules of this server.
Parameters come in the body: addresses are logged, and a parameter may be a phone number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.exceptions import ParamValidationError
from airflow.models.serialized_dag import SerializedDagModel
from fastapi import APIRouter, HTTPException

from smsflow_provider.core.audience.masking import masked_text
from smsflow_provider.core.errors import AudienceError, NotFoundError
from smsflow_provider.core.workflow.conf import filled
from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.explain import question_of
from smsflow_provider.plugins.api.access import may_read, may_start
from smsflow_provider.plugins.api.models.explain import ExplainedAudience, ExplainRequest
from smsflow_provider.plugins.api.problems import wrong_input

router = APIRouter(tags=["audiences"])

#: Longest time of each of the two statements: the caller waits.
TIME_LIMIT = "1m"
#: Fields of the task that say whom it finds; Airflow keeps them with the DAG.
_FIELDS = ("rules", "dimension", "columns", "regardless_of_consent", "conn_id")


@router.post("/workflows/{dag_id}/audiences/{task_id}/explain", response_model=ExplainedAudience)
def explain_audience(
    dag_id: str, task_id: str, request: ExplainRequest, user: GetUserDep
) -> dict[str, Any]:
    """
    Ask the database whom the rules of an activity find. Who may start the workflow may ask.

    Phones and addresses are masked, in the rows and in the SQL; names stay.
    """
    if not may_read(user, dag_id):
        raise _unknown()
    settings = _settings_of(dag_id, task_id, request.conf)
    if not may_start(user, dag_id):
        raise HTTPException(403, "you may see this workflow, and not whom it finds")
    folder = SmsflowConfig.read().rules
    with wrong_input():
        if isinstance(settings["rules"], str):
            raise AudienceError("these rules are too long for Airflow to keep: smsflow explain")
        asked = {**settings, "time_limit": TIME_LIMIT}
        question = question_of(asked, at=request.at, folder=folder)
        answer = question.answer(sample=request.sample).as_dict()
    return {
        "workflow": dag_id,
        "activity": task_id,
        "dimension": question.dimension.name,
        "conn_id": question.database.conn_id,
        **answer,
        "sql": masked_text(answer["sql"]),
    }


def _unknown() -> NotFoundError:
    return NotFoundError("there is no such audience by rules")


def _settings_of(dag_id: str, task_id: str, conf: Mapping[str, Any]) -> dict[str, Any]:
    """
    Read the fields of a task from the DAG that Airflow keeps, with parameters filled in.

    Raises:
        NotFoundError: No such DAG or task, or it has no rules.
        HTTPException: 422; *conf* breaks what a parameter declares.
    """
    dag = SerializedDagModel.get_dag(dag_id)
    task = None if dag is None else dag.task_dict.get(task_id)
    found = {name: getattr(task, name, None) for name in _FIELDS}
    if dag is None or not found["rules"] or not found["dimension"]:
        raise _unknown()
    params = dag.params.deep_merge(conf)
    try:
        values = params.validate()
    except (ParamValidationError, ValueError):
        # Airflow's words repeat the value.
        raise HTTPException(422, "conf breaks what a parameter of the workflow declares") from None
    return found | {"rules": filled(_as_templates(found["rules"]), values)}


def _as_templates(data: Any) -> Any:
    """Write parameters, as Airflow keeps them, the way a workflow does."""
    if isinstance(data, Mapping):
        if set(data) == {"dag_id", "name", "default"}:
            return f"{{{{ params.{data['name']} }}}}"
        return {name: _as_templates(each) for name, each in data.items()}
    return list(map(_as_templates, data)) if isinstance(data, list) else data
