"""The words of PostgreSQL's driver about an error, without what SQLAlchemy adds to them."""


def read_driver_words(error: BaseException) -> str:
    """Read the first line of what the driver says, else the name of the error's class.

    SQLAlchemy adds the statement and a link, over many lines. libpq's words have no password.
    """
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
