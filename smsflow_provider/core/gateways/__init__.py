"""Talking to gateways: dialects (pure), one HTTP transport, the registry."""
