"""Tests of the suite as a program: options, logins, exit codes, and what it never shows."""
