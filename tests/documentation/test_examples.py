"""Every example of the documentation, typed as it stands there, on one sandbox for all."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from registry.sandbox.layout import Layout
from registry.sandbox.servers.processes import free_port
from registry.sandbox.supervisor import Supervisor
from tests.documentation.examples import DOCS, PORT, read_blocks, read_files, read_steps

PAGES = ("getting-started.md", "integrators.md", "auditors.md")
# tests/installed/test_walk.py; and tests/yardstick/test_command.py, at another address.
ELSEWHERE = {"run-it-for-real.md", "conformance.md"}
LANGUAGES = {"sh", "python", "javascript", "java"}
STEPS = [step for page in PAGES for step in read_steps(page)]
MARK = "== step "
CHECKOUT = DOCS.parent


def test_every_page_with_examples_is_run():
    pages = {path.name for path in DOCS.glob("*.md")}

    with_examples = {
        page for page in pages if LANGUAGES & {language for language, *_ in read_blocks(page)}
    }
    assert with_examples - ELSEWHERE == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_of_a_page_is_run_by_a_step_of_it(page):
    typed = "".join(step.text for step in read_steps(page))

    assert [name for name in read_files(page) if name not in typed] == []
    for language, title, _ in read_blocks(page):
        assert language in {"sh", "json", "text"} or title, f"a block of {language} without a title"


@pytest.fixture(scope="module")
def place():
    """A folder like that of a checkout in which a sandbox runs, and where the registry listens."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        layout = Layout.at(folder / ".sandbox")
        (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
        for page in PAGES:
            for title, text in read_files(page).items():
                (folder / title).write_text(text)
        port = free_port()
        with Supervisor(layout, port, say=lambda _: None).up():
            yield folder, f"localhost:{port}"


@pytest.fixture(scope="module")
def outputs(place):
    """What the steps of each page printed, all typed in one shell, and that as a whole."""
    return {page: type_page(page, *place) for page in PAGES}


def type_page(page, folder, address):
    lines = ["exec 2>&1"]
    for step in read_steps(page):
        lines += [f"echo; echo '{MARK}{step.number}'", step.text.replace(PORT, address)]
        if why_not(step):
            lines.pop()
    script = "\n".join([*lines, f"echo; echo '{MARK}end'"])
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        check=False,
        cwd=folder,
        env={**os.environ, "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=400,
    )
    pieces = run.stdout.split(f"\n{MARK}")[1:]
    # The last piece is of the end, or of the step at which the shell gave up.
    return [piece.partition("\n")[2] for piece in pieces[:-1]], run.stdout


def why_not(step):
    """Why a step cannot be typed here; None if it can."""
    if step.program == "make":
        return "CI makes them by themselves"
    if step.program in ("node", "java") and shutil.which(step.program) is None:
        return f"{step.program} is not installed"
    return None


@pytest.mark.process
@pytest.mark.parametrize("step", STEPS, ids=str)
def test_an_example_does_what_its_page_says(outputs, step):
    if reason := why_not(step):
        pytest.skip(reason)
    printed, everything = outputs[step.page]

    assert len(printed) > step.number, f"it failed:\n{everything[-3000:]}"
    if step.output:
        expected = ".*".join(re.escape(part) for part in step.output.strip().split("…"))
        assert re.fullmatch(expected, printed[step.number].strip(), re.DOTALL)


def test_what_is_made_is_a_target():
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))

    for step in STEPS:
        assert set(re.findall(r"^make ([a-z-]+)", step.text, re.MULTILINE)) <= targets
