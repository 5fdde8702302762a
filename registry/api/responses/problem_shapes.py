"""Shapes of problems: each version shows them in its own way."""

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from flask import Response, request

from registry.api.place import find_place
from registry.api.responses.problems import Problem

Shape = Callable[[Problem, UUID], Response]


class ProblemShapes:
    """The shapes of the versions that are served below the base paths, the usual one first."""

    def __init__(self, shapes: Mapping[str, Shape], bases: Iterable[str]) -> None:
        self._shapes = shapes
        self._usual = next(iter(shapes))
        self._prefixes = {f"{base}/{name}/": name for base in bases for name in shapes}

    def render(self, problem: Problem, occurrence: UUID) -> Response:
        """Render a problem as the version of this request does; the log has `occurrence` too."""
        place = find_place()
        version = place.version if place else self._guess_version()
        return self._shapes[version](problem, occurrence)

    def _guess_version(self) -> str:
        """Guess the version of a path that nothing is served at."""
        # The slash lets /v3 itself count, and keeps /v30 out.
        path = f"{request.path}/"
        names = (name for prefix, name in self._prefixes.items() if path.startswith(prefix))
        return next(names, self._usual)
