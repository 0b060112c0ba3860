"""What the owner of a running registry looks at."""
