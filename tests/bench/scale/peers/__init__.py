"""Programs of others that anybody can install, doing what the registry does."""
