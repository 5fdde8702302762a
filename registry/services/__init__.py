"""Use cases: a class per activity, a method per verb, one transaction each."""
