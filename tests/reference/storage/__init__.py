"""Tests of the storages of the reference: promises, crashes, failures, large lists."""
