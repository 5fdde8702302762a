"""A MessageRegistry for Document Providers of e-Box."""

__version__ = "0.1.0"
