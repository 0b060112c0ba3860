"""Tests of how judgements become verdicts."""
