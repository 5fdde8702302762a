"""`registry doctor`: the support bundle."""
