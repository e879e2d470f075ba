"""A workflow as data, and the plan made of it: steps, order, safety checks."""
