"""`make bench`, `bench-full` and `bench-memory`: the promises about scale, measured."""
