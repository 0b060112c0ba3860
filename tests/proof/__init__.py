"""The proof of the suite: faults, variants, and both together; ``make prove`` runs it."""
