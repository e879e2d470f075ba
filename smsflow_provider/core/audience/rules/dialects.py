"""The databases that rules can be written for, and which one an Airflow connection is."""

from __future__ import annotations

import difflib
from enum import StrEnum

from smsflow_provider.core.errors import AudienceError


class Dialect(StrEnum):
    """A database's own SQL, by the name that sqlglot has for it."""

    POSTGRES = "postgres"
    SQLITE = "sqlite"
    DUCKDB = "duckdb"
    #: MySQL 8.0.19 or newer.
    MYSQL = "mysql"
    SNOWFLAKE = "snowflake"
    BIGQUERY = "bigquery"
    REDSHIFT = "redshift"
    DATABRICKS = "databricks"
    #: SQL Server 2017 or newer.
    TSQL = "tsql"


#: Types of Airflow connections that are not called like their dialect.
_CONN_TYPES = {
    "postgresql": Dialect.POSTGRES,
    "gcpbigquery": Dialect.BIGQUERY,
    "google_cloud_platform": Dialect.BIGQUERY,
    "mssql": Dialect.TSQL,
}

#: Databases to which ``'a'`` and ``'a '`` are equal.
PADDING = frozenset({Dialect.MYSQL, Dialect.REDSHIFT, Dialect.TSQL})


def dialect_of(conn_type: str) -> Dialect:
    """
    Find the SQL of an Airflow connection's database.

    Args:
        conn_type: The connection's type, such as ``postgres`` or ``mssql``.

    Raises:
        AudienceError: Rules cannot be written for it.

    Example:
        >>> dialect_of("mssql")
        <Dialect.TSQL: 'tsql'>
    """
    known = {dialect.value: dialect for dialect in Dialect} | _CONN_TYPES
    if conn_type in known:
        return known[conn_type]
    raise AudienceError(
        "rules cannot be asked of this type of connection",
        conn_type=conn_type,
        near=difflib.get_close_matches(conn_type, known, n=1),
        possible=sorted(known),
    )
