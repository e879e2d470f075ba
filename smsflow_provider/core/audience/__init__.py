"""Who: sources of people, the Parquet file that freezes them, saved audiences."""
