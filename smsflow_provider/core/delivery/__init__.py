"""From prepared messages to known results: states, approval, sending, receipts."""
