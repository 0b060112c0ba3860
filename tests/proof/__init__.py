"""The proof of the suite: faults convicted, variants acquitted, alone and together; ``make prove`` runs it."""
