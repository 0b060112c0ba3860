"""The suite many times over against one target: what its outcomes owe to chance, which should be nothing."""
