"""What scenarios of several categories share: steps, and how answers are read."""
