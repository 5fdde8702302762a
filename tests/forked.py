"""`registry …` in processes of their own, forked from one that has imported everything before.

A process takes two seconds to import what the worker needs; a hundred of them would take minutes.
"""

import multiprocessing
import os
import signal
import sys
from types import SimpleNamespace

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        "pytest",  # whose module is imported again by each process
        "registry.cli",
        "registry.cli.audit.output",
        "registry.cli.fsck",
        "registry.migrations",
        "registry.sender.client",
        "registry.settings.part",
        "registry.store.server_log",
        "registry.wiring.operators",
        "registry.worker.command",
        "registry.worker.worker",
    ]
)


class RegistryProcess:
    """`registry` with these arguments and nothing else in its environment; output goes to files."""

    def __init__(self, arguments, environment, output, errors=None):
        files = (str(output), str(errors or output))
        inherited = ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
        kept = {name: os.environ[name] for name in inherited if name in os.environ}
        self._process = _context.Process(
            target=_run, args=(list(arguments), {**kept, "no_proxy": "*", **environment}, files)
        )
        self._process.start()

    @property
    def pid(self):
        return self._process.pid

    def poll(self):
        """Exit code; None while it runs."""
        self._process.join(0)
        return self._process.exitcode

    def wait(self, timeout=None):
        """Wait for the end; exit code."""
        self._process.join(timeout)
        assert self._process.exitcode is not None, "it does not end"
        return self._process.exitcode

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        if self.poll() is None:
            self.send_signal(signal.SIGKILL)


def run_registry(arguments, environment, folder):
    """Run `registry` to its end, 60 seconds at most; gives exit code and output."""
    output, errors = folder / "stdout", folder / "stderr"
    process = RegistryProcess(arguments, environment, output, errors)
    try:
        code = process.wait(60)
    finally:
        process.kill()
    return SimpleNamespace(returncode=code, stdout=output.read_text(), stderr=errors.read_text())


def _run(arguments, environment, files):
    for number, name in enumerate(files, 1):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if number == 1 else 0)
        os.dup2(os.open(name, flags, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["registry", *arguments]
    from registry.cli import main  # noqa: PLC0415 - here and not where tests import this

    main()
