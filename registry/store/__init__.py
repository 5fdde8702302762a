"""SQL: a module is a noun, its tables and every question asked of them."""
