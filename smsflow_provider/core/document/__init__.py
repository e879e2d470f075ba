"""YAML documents that people write: values with their lines, and all problems told at once."""
