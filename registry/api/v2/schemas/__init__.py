"""The JSON of version 2.1: every wire name of this version, and nowhere else."""
