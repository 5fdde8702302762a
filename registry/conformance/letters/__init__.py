"""Publications by a sender, to see what becomes of them: documents, bodies, letters."""
