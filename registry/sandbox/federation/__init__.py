"""Stand-ins for the federal services, over real HTTP, with bad days."""
