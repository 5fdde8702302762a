"""`make chaos`: what becomes of the registry's answers while a neighbour of it is ill."""
