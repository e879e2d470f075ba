"""The SMS gateway of Acme, for smsflow."""
