"""Diagnosis: what keeps a registry from running, found before it runs, all of it at once.

Checks look at one thing each and give what is wrong; none keeps another from looking. The service
itself starts by other rules: whatever is ill only now, it waits for.
"""
