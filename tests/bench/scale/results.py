"""Results as JSON files of `docs/benchmarks`: one a day of each kind, the newest run counts."""

import json
from datetime import date
from pathlib import Path
from typing import Any, Final

from tests.bench.scale.verdicts import Findings

FOLDER: Final = Path(__file__).parents[3] / "docs" / "benchmarks"


def make_document(kind: str, findings: Findings, conditions: dict[str, Any]) -> dict[str, Any]:
    """What a run found, and how; `kind` is that of the target of make."""
    return {
        "kind": kind,
        "date": date.today().isoformat(),  # noqa: DTZ011 - the day where it was run
        "conditions": conditions,
        "verdicts": [each.as_members() for each in findings.verdicts],
        "comparisons": [each.as_members() for each in findings.comparisons],
    }


def write_document(document: dict[str, Any], folder: Path = FOLDER) -> Path:
    """Write it as DATE.json, or DATE-KIND.json for what is no usual run; gives the path."""
    folder.mkdir(parents=True, exist_ok=True)
    suffix = "" if document["kind"] == "bench" else f"-{document['kind'].removeprefix('bench-')}"
    path = folder / f"{document['date']}{suffix}.json"
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return path
