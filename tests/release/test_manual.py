"""Man pages and completions: made of the commands, and readable by what reads them."""

import shutil
import subprocess
import sys

import click
import pytest

from registry.cli import registry
from registry.release.manual import make_page, walk_commands, write_share


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "share"
    write_share(folder, "1.2.3", "2026-11-27")
    return folder


def test_every_command_has_a_page_with_each_of_its_options(share):
    for context in walk_commands(click.Context(registry, info_name="registry")):
        page = share / "man" / "man1" / f"{context.command_path.replace(' ', '-')}.1"
        text = page.read_text()
        options = [each for each in context.command.params if isinstance(each, click.Option)]
        assert all(each.opts[0].replace("-", "\\-") in text for each in options), page.name


def test_the_sandbox_is_a_distribution_of_its_own_and_has_no_page(share):
    assert not list((share / "man" / "man1").glob("*sandbox*"))


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_pages_are_written_as_man_reads_them(share):
    pages = sorted((share / "man" / "man1").iterdir())

    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", *pages],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout + done.stderr == ""


def test_what_roff_would_take_for_an_order_is_text():
    @click.command(help=".SH begins a section\n\nSo does \\fB, and\n\n\b\n.so /etc/passwd")
    def command():
        pass

    page = make_page(click.Context(command, info_name="x"), "1", "2026-11-27")

    assert "x \\- \\&.SH begins a section" in page or "x \\- .SH begins" in page
    assert "\n.so" not in page
    assert "\\efB" in page


@pytest.mark.parametrize(
    ("shell", "name"),
    [
        ("bash", "bash-completion/completions/registry"),
        ("zsh", "zsh/site-functions/_registry"),
        ("fish", "fish/vendor_completions.d/registry.fish"),
    ],
)
def test_each_shell_has_a_script_that_it_can_read(share, shell, name):
    assert f"_REGISTRY_COMPLETE={shell}_complete" in (share / name).read_text()
    if shutil.which(shell):
        subprocess.run([shell, "-n", share / name], check=True)


def test_bash_completes_by_its_script(share):
    script = share / "bash-completion" / "completions" / "registry"
    words = "COMP_WORDS=(registry database mi); COMP_CWORD=2"
    program = f". {script}; {words}; _registry_completion registry; echo ${{COMPREPLY[@]}}"

    done = subprocess.run(
        ["bash", "-c", f"PATH={venv_folder()}:$PATH; {program}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "migrate\n"


def venv_folder():
    return shutil.which("registry", path=f"{sys.prefix}/bin").rpartition("/")[0]
