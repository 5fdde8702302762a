"""The portal's calls, many at once, and how long they take."""
