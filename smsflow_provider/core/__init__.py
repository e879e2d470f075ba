"""Plain Python about SMS campaigns: all decisions. Imports neither Airflow nor a web framework."""
