"""Tests of the readers of a report: page, summary and schema."""
