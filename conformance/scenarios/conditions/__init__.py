"""Laws that hold under every condition: rows of conditions, and for each breach the condition that matters."""
