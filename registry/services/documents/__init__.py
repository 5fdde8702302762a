"""Use cases of operators who look after documents: the check, and the repair of what it finds."""
