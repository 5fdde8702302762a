"""HTTP with the registry that is tested: asked within a time, recorded, shown without secrets."""
