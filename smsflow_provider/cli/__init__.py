"""The smsflow command."""
