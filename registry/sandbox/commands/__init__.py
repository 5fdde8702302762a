"""`registry sandbox …`."""
