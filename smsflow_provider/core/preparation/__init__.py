"""From an audience to messages: numbers, exclusions, rendering, the fingerprint."""
