"""Options of the audit commands: days and months of Belgium, hashes."""

import re
from datetime import date, datetime, time, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from registry.audit.period import TrailPeriod
from registry.domain.belgian_time import BELGIUM

if TYPE_CHECKING:
    from registry.terminal.options import Command, Option

_MONTH: Final = r"([12][0-9]{3})-(0[1-9]|1[0-2])"
_MONTHS: Final = re.compile(rf"{_MONTH}(?:\.\.{_MONTH})?")
_HASH: Final = re.compile("[0-9a-fA-F]{64}")
_DAY: Final = click.DateTime(["%Y-%m-%d"])


class TokenHash(click.ParamType[str]):
    """Reads a SHA-256 in hexadecimal."""

    name = "hex"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read one value."""
        if not _HASH.fullmatch(str(value)):
            self.fail("The SHA-256 of a token has 64 hexadecimal digits.", param, ctx)
        return str(value).lower()  # as the trail writes it; tools print either


class Months(click.ParamType[tuple[datetime, datetime]]):
    """Reads `YYYY-MM` or `YYYY-MM..YYYY-MM` as the begin of the first and the end of the last."""

    name = "YYYY-MM[..YYYY-MM]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[datetime, datetime]:
        """Read one value."""
        match = _MONTHS.fullmatch(str(value))
        if match is None:
            self.fail(f"It is {self.name}.", param, ctx)
        year, month, last_year, last_month = (int(part or 0) for part in match.groups())
        # Months counted from year 0 give the first day after the last one.
        after, months = divmod((last_year or year) * 12 + (last_month or month), 12)
        begin, end = find_midnight(date(year, month, 1)), find_midnight(date(after, months + 1, 1))
        if begin >= end:
            self.fail("The last month is before the first.", param, ctx)
        return begin, end


def with_period(begin: str, end: str) -> "Option":
    """Give a command `period`: from one day of Belgium to another, both included, or without."""

    def decorate(command: "Command") -> "Command":
        @wraps(command)
        def run(*args: Any, first: datetime | None, last: datetime | None, **rest: Any) -> Any:
            if first and last and last < first:
                raise click.UsageError("--to is before --from.")
            after = last and find_midnight(last.date() + timedelta(days=1))
            period = TrailPeriod(first and find_midnight(first.date()), after)
            return command(*args, period=period, **rest)

        # Help lists options in the order in which they stand above a command: the last one first.
        with_end = click.option("--to", "last", type=_DAY, metavar="DATE", help=end)(run)
        return click.option("--from", "first", type=_DAY, metavar="DATE", help=begin)(with_end)

    return decorate


def find_midnight(day: date) -> datetime:
    """Find the instant at which a day begins in Belgium."""
    return datetime.combine(day, time.min, tzinfo=BELGIUM)
