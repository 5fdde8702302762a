"""The local portal: an e-Box as its user sees it, from another origin than the registry."""
