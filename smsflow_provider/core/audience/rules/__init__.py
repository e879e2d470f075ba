"""Who, as rules: a tree over columns and linked tables, and what it means in SQL and in frames."""
