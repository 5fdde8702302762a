"""The OpenAPI document as the tests of the API walk it."""

from tests.conformance.validation import DOCUMENT, METHODS, resolved


def served():
    """Method, path and operation of everything that is implemented."""
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def parameters(operation, where):
    """The parameters of an operation that lie in path, query or header."""
    found = [resolved(parameter) for parameter in operation.get("parameters", [])]
    return [parameter for parameter in found if parameter["in"] == where]


def is_open(path):
    """Whether anybody may ask, without a token."""
    return path.startswith(("/health", "/doc/", "/certification/version"))
