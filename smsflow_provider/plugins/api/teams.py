"""Airflow's teams: where it keeps them apart, the auth manager must be told whose a thing is."""

from __future__ import annotations

from collections.abc import Collection

from airflow.configuration import conf
from airflow.models.connection import Connection
from airflow.models.dag import DagModel
from airflow.models.team import Team

from smsflow_provider.plugins.api.dags import remembered_dags

#: Whose something is: all of these teams together; None is nobody in particular.
Teams = tuple[str | None, ...]


def has_teams() -> bool:
    """Whether this Airflow keeps teams apart: ``[core] multi_team``."""
    return conf.getboolean("core", "multi_team", fallback=False)


def teams_of(dag_ids: Collection[str]) -> dict[str, Teams]:
    """
    Tell whose each of *dag_ids* is.

    A DAG that Airflow does not know, or knows no more, may have been anybody's: it is all teams'.
    """
    if not has_teams():
        return dict.fromkeys(dag_ids, (None,))
    remembered = remembered_dags(dag_ids)
    owners = DagModel.get_dag_id_to_team_name_mapping(list(dag_ids))
    every = (*sorted(Team.get_all_team_names()), None)
    return {one: (owners.get(one),) if one in remembered else every for one in dag_ids}


def team_of_connection(conn_id: str) -> str | None:
    """Tell whose a connection is, of those in Airflow's database."""
    return Connection.get_team_name(conn_id) if has_teams() else None
