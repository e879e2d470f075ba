"""Fakes and contract suites, shipped for users; never imported by the product."""
