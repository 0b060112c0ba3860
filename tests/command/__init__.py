"""The command registry-conformance, in the checkout and as it is installed."""
