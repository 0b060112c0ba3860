"""``make bench``: what a run costs, as ratios to a commit that is measured in turns; no test of ``make test``."""
