"""REST routes of the plugin, one file a subject."""
