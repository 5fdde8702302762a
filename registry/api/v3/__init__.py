"""Version 3: its JSON, its URLs, its problems; no rule of its own."""
