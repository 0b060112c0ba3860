"""Readers of ``report.json``: pages and summaries; nothing here talks to a registry."""
