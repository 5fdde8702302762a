"""Logs and metrics: hooks around the service, never called by rules."""

import os

# Where one of these is set, prometheus_client keeps all figures in files in memory, and a folder
# that is full kills the process by SIGBUS (ADR 019). It looks once, when it is imported.
for _name in ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"):
    os.environ.pop(_name, None)
