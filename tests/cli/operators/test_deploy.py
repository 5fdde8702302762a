"""`registry deploy files`: what operators need, written out."""

import os
from pathlib import Path

import pytest

from registry.cli.deploy.files import list_files

DEPLOY = Path(__file__).parents[3] / "deploy"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "etc" / "deploy"


def read_files(folder):
    return {str(path): (folder / path).read_bytes() for path in list_files(folder)}


def test_all_files_are_written_as_they_are(run, folder):
    done = run("deploy", "files", "--to", str(folder))

    assert done.code == 0
    assert read_files(folder) == read_files(DEPLOY)
    assert set(done.out.splitlines()) == {str(folder / name) for name in read_files(DEPLOY)}
    for name in read_files(folder):
        assert os.access(folder / name, os.X_OK) == os.access(DEPLOY / name, os.X_OK)


def test_what_is_a_link_in_a_checkout_is_a_copy_for_whoever_has_no_checkout(run, folder):
    run("deploy", "files", "--to", str(folder))

    assert not [path for path in folder.rglob("*") if path.is_symlink()]
    assert (folder / "helm" / "ebox-registry" / "nginx" / "nginx.conf").is_file()


def test_a_second_time_nothing_is_written(run, folder):
    run("deploy", "files", "--to", str(folder))

    done = run("deploy", "files", "--to", str(folder))

    assert (done.code, done.said) == (0, "")


def test_what_was_changed_is_not_written_over_and_neither_is_anything_else(run, folder):
    run("deploy", "files", "--to", str(folder))
    ours = folder / "nginx" / "nginx.conf"
    ours.write_text("ours")
    (folder / "database" / "roles.sql").unlink()

    done = run("deploy", "files", "--to", str(folder))

    assert done.code == 1
    assert str(ours) in done.err
    assert ours.read_text() == "ours"
    assert not (folder / "database" / "roles.sql").exists()


def test_what_was_changed_is_written_over_when_that_is_wanted(run, folder):
    run("deploy", "files", "--to", str(folder))
    (folder / "nginx" / "nginx.conf").write_text("ours")

    done = run("deploy", "files", "--to", str(folder), "--force")

    assert (done.code, done.out) == (0, f"{folder / 'nginx' / 'nginx.conf'}\n")
    assert read_files(folder) == read_files(DEPLOY)


def test_a_folder_that_cannot_be_made_is_named(run, tmp_path):
    (tmp_path / "file").write_text("")

    done = run("deploy", "files", "--to", str(tmp_path / "file" / "deploy"))

    assert done.code == 1
    assert str(tmp_path / "file") in done.err
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
