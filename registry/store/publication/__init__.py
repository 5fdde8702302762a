"""SQL of what was sent, and of routing rules."""
