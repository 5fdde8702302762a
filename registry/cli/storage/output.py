"""Findings about buckets for operators and their programs."""

from collections.abc import Iterator, Sequence
from typing import Final

import click

from registry.blobs.bucket_findings import BucketFinding, BucketOutcome
from registry.cli.output import print_json, print_table

_HEADINGS: Final = ("outcome", "bucket", "what", "right", "for", "detail")
_RUNBOOK: Final = "deploy/runbooks/storage.md"
# Rights on a bucket; all others are on the objects in it.
_OF_BUCKETS: Final = ("s3:ListBucket", "s3:GetBucket")


def print_findings(findings: Sequence[BucketFinding], *, is_json: bool) -> None:
    """Print a line for each finding, and what is to be granted."""
    if is_json:
        is_fit = all(finding.outcome is not BucketOutcome.MISSING for finding in findings)
        print_json({"isFit": is_fit, "findings": [_make_json(each) for each in findings]})
        return
    print_table(
        _HEADINGS,
        [
            (
                finding.outcome.value,
                finding.bucket,
                finding.subject,
                finding.action or "",
                finding.need or "",
                finding.detail,
            )
            for finding in findings
        ],
    )
    grants = _list_grants(findings)
    for grant in grants:
        click.echo(grant, err=True)
    if grants:
        click.echo(f"{_RUNBOOK} has whole policies.", err=True)


def _list_grants(findings: Sequence[BucketFinding]) -> Sequence[str]:
    """List the rights that are missing, each once, with what they are to be granted on.

    A call that takes two rights may lack one of them: those by which another call went well are
    there.
    """
    present = set(_list_rights(findings, BucketOutcome.OK))
    missing = dict.fromkeys(_list_rights(findings, BucketOutcome.MISSING))
    return [
        f"Grant {action} on {_name_resource(bucket, action)}."
        for bucket, action in missing
        if (bucket, action) not in present
    ]


def _list_rights(
    findings: Sequence[BucketFinding], outcome: BucketOutcome
) -> Iterator[tuple[str, str]]:
    for finding in findings:
        if finding.outcome is outcome and finding.action:
            for action in finding.action.split(", "):
                yield finding.bucket, action


def _name_resource(bucket: str, action: str) -> str:
    resource = f"arn:aws:s3:::{bucket}"
    return resource if action.startswith(_OF_BUCKETS) else f"{resource}/*"


def _make_json(finding: BucketFinding) -> dict[str, str]:
    members = {
        "bucket": finding.bucket,
        "subject": finding.subject,
        "outcome": finding.outcome.value,
        "action": finding.action,
        "need": finding.need,
        "detail": finding.detail or None,
    }
    return {name: value for name, value in members.items() if value is not None}
