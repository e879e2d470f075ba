"""PostgreSQL: schema, statements by name, migrations, an embedded server."""
