"""What is known and done about the target: probes, set-up, content, clean-up."""
