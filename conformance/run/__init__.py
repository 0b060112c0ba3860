"""One run of the suite as a pytest plugin: options, processes, terminal, report."""
