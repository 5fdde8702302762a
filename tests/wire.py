"""Requests as bytes, and answers as they come, for clients that do what no library would."""

from http.client import HTTPResponse

LARGE = b"%PDF-1.4\n" + bytes(6 << 20) + b"\n%%EOF\n"  # more than any kernel's buffer holds


def head(method, path, token, *headers):
    """The request line and headers, whole."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


def read_answer(connection):
    """Status, headers and content of the next answer."""
    answer = HTTPResponse(connection)
    answer.begin()
    return answer.status, answer.headers, answer.read()
