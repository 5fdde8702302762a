"""Serving: how gunicorn takes requests in and hands answers out, so that no client stops it."""
