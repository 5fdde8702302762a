"""The help of the worker names what a worker does."""

import re

from registry.worker.command import worker
from registry.worker.jobs import JOBS


def test_every_job_is_in_the_help_and_no_other():
    (named,) = re.findall(r"The jobs are ([^.]+)\.", " ".join(worker.help.split()))

    assert sorted(re.split(r", | and ", named)) == sorted(job.name for job in JOBS)
