"""Search: scenarios that make up requests, and shrink a disagreement to the least that shows it."""
