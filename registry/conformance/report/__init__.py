"""Reports of a run, for people and for programs; nothing in them names anybody."""
