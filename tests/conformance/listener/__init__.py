"""Tests of the listener for notifications, and of runs with one."""
