"""The contract check: what it books, and that its plans and openapi-core agree."""
