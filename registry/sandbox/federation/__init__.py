"""Stand-ins for the federal services, over real HTTP: OAuth v5, the Partition API, bad days."""
