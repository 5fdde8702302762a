"""The JSON of version 3: every wire name of this version, and nowhere else."""
