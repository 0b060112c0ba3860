"""Examples of the documentation, which the tests run."""
