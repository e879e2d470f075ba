"""Receipts of gateways: a lean ASGI app, mounted by the plugin or run alone."""
