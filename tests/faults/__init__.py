"""Each fault of the reference is convicted and each variant acquitted, by whole runs of the suite."""
