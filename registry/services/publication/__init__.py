"""Use cases of publication: filing, uploads, broadcasts, routing."""
