"""Tests of the reference as a process: command line, configuration, HTTP and its limits."""
