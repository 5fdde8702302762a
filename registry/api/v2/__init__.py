"""Version 2.1: its JSON, its URLs, its errors; no rule of its own."""
