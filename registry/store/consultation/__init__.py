"""SQL of messages as their owners see them."""
