"""A gateway on localhost with receipts and faults on demand."""
