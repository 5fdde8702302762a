"""From the domain to HTTP: JSON, downloads, problems."""
