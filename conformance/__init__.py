"""The suite: asks a target and judges what it answers by the specification."""
