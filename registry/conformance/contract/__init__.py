"""The two versions of the interface, as a client knows them: documents, names, schemas."""
