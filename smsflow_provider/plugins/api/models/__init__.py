"""What the routes ask and answer: one file a subject."""
