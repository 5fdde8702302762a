"""All documents that the database knows, across e-Boxes: for the worker's role alone."""
