"""The buckets, property by property and right by right, as `registry storage check` tries them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from registry.blobs.bucket_findings import BucketFinding, BucketOutcome
from registry.blobs.bucket_rights import BucketRights
from registry.domain.report_lines import Grade, ReportLine
from registry.wiring.buckets import BucketAccess


@dataclass
class RightsTrial:
    """Tries each call that the service makes on one bucket; what it puts there it removes.

    Where the settings do not count on versions, a bucket that keeps none is a warning.
    """

    subject: str
    counts_on_versions: bool
    open_bucket: Callable[[], BucketAccess]
    _rights: BucketRights | None = field(default=None, init=False)

    def look(self) -> Iterator[ReportLine]:
        """Say what the bucket lacks, or the key."""
        bucket = self.open_bucket()
        findings = list(bucket.look_after(may_change=False).run())
        self._rights = bucket.try_rights(time.sleep)
        try:
            findings += self._rights.run()
        except BaseException:
            self.end()
            raise
        findings += self._rights.clean()
        self._rights = None
        yield self._judge(findings)

    def end(self) -> None:
        """Remove what is there yet, in haste: nobody waits for it any more."""
        if self._rights:
            for _ in self._rights.clean(is_hasty=True):
                pass

    def _is_fault(self, finding: BucketFinding) -> bool:
        may_be_so = finding.subject == "versioning" and not self.counts_on_versions
        return finding.outcome is BucketOutcome.MISSING and not may_be_so

    def _judge(self, findings: list[BucketFinding]) -> ReportLine:
        missing = [each for each in findings if self._is_fault(each)]
        faulty_outcomes = (BucketOutcome.WARNING, BucketOutcome.MISSING)
        doubts = [each for each in findings if each.outcome in faulty_outcomes]
        if missing:
            rights = sorted({each.action for each in missing if each.action})
            remedy = f"Grant {', '.join(rights)}. " if rights else ""
            return ReportLine(
                self.subject,
                Grade.FAIL,
                " ".join(_describe(each) for each in missing),
                f"{remedy}deploy/runbooks/storage.md has whole policies.",
            )
        if doubts:
            sight = " ".join(_describe(each) for each in doubts)
            remedy = "See deploy/runbooks/storage.md: some stores do not offer it."
            return ReportLine(self.subject, Grade.WARN, sight, remedy)
        sight = f"{len(findings)} properties and calls were tried, and all is as it must be."
        return ReportLine(self.subject, Grade.PASS, sight)


def _describe(finding: BucketFinding) -> str:
    need = f" (for {finding.need})" if finding.need else ""
    return f"{finding.bucket}: {finding.subject}{need}. {finding.detail}".strip()
