"""What the owner of a running registry looks at: metrics, and the debug server that tells them and the health."""
