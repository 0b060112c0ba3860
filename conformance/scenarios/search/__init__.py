"""Search: scenarios that make up their requests, and shrink what disagrees to the least that shows it."""
