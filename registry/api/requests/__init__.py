"""From HTTP to the domain: bodies, parameters, uploads."""
