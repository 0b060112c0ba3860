"""Each fault is convicted and each variant acquitted, by whole runs of the suite."""
