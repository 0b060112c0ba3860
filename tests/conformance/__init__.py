"""The suite as a program: its options, its logins, its exit codes, and what it never shows."""
