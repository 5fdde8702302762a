"""Kinds of values that settings have; a wrong one raises `ValueError` with words of ours."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr


def _check_http_url(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise ValueError("must be an http or https URL")
    try:
        url = urlsplit(text)
        is_whole = bool(url.hostname) and url.port != 0  # reading a port that is none raises
    except ValueError:
        is_whole = False
    if not is_whole or not text.isprintable() or " " in text:
        raise ValueError("must have a host, perhaps a port, and no spaces")
    return text.rstrip("/")


def _check_base_path(text: str) -> str:
    if not text.startswith("/") or text.endswith("/"):
        raise ValueError("must begin with a slash and not end with one")
    return text


def _check_database_url(secret: SecretStr) -> SecretStr:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = _move_hosts(secret.get_secret_value())
        driver = make_url(url).drivername
    except (ArgumentError, ValueError):  # its words could repeat the password
        url, driver = "", ""
    if driver not in ("postgresql", "postgresql+psycopg"):
        raise ValueError("must be a URL like postgresql://user:password@host:5432/database")
    return SecretStr(url)


def _move_hosts(url: str) -> str:
    """Move several hosts, `…@one:5432,two:5432/…` in PostgreSQL's words, to where SQLAlchemy's are.

    Which of them is used, `target_session_attrs` says; the first that answers, without it.
    """
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    if "," not in hosts:
        return url
    host_parameters = [f"host={host}" for host in hosts.split(",")]
    query = "&".join([*host_parameters, *filter(None, [parts.query])])
    return parts._replace(netloc=f"{login}{at}", query=query).geturl()


def _check_store_url(secret: SecretStr) -> SecretStr:
    scheme, _, rest = secret.get_secret_value().partition("://")
    if scheme not in ("redis", "rediss") or not rest:
        raise ValueError("must be a URL like redis://:password@host:6379/0")
    return secret


def _check_address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError("must be host:port")
    return text


def _check_path_template(text: str) -> str:
    try:
        text.format(enterpriseNumber="", ssin="")
    except (LookupError, ValueError):
        raise ValueError("must have no braces but {enterpriseNumber} and {ssin}") from None
    return text


Url = Annotated[str, AfterValidator(_check_http_url)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_check_database_url)]
StoreUrl = Annotated[SecretStr, AfterValidator(_check_store_url)]
PathTemplate = Annotated[str, AfterValidator(_check_path_template)]
Address = Annotated[str, AfterValidator(_check_address)]
# What S3 itself allows, and boto3 refuses at the first request.
Bucket = Annotated[str, Field(pattern=r"^[A-Za-z0-9.\-_]{1,255}$")]
BasePath = Annotated[str, AfterValidator(_check_base_path)]
Seconds = Annotated[float, Field(ge=0)]
