"""Who gets no message, and why: one rule a file, applied over whole columns by ``exclude``."""
