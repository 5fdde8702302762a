"""HTTP: the only room that knows flask and marshmallow."""
