"""The changelog and the version of a release."""

from datetime import date

import pytest

from registry import __version__
from registry.release.changelog import NothingToRelease, cut_section, read_section
from registry.release.version import VersionRefused, check_next, read_version, write_version

CHANGELOG = """# Changelog

## Unreleased

### Never lost

- All of it.

## 1.0.0 - 2026-01-02

- The first.
"""


def test_what_was_unreleased_becomes_the_section_of_the_release():
    cut = cut_section(CHANGELOG, "1.1.0", date(2026, 11, 27))

    assert "## Unreleased\n\n## 1.1.0 - 2026-11-27\n\n### Never lost\n" in cut
    assert read_section(cut, "Unreleased") == ""
    assert read_section(cut, "1.1.0") == "### Never lost\n\n- All of it."
    assert read_section(cut, "1.0.0") == "- The first."


def test_nothing_is_released_when_nothing_changed():
    cut = cut_section(CHANGELOG, "1.1.0", date(2026, 11, 27))

    with pytest.raises(NothingToRelease):
        cut_section(cut, "1.2.0", date(2026, 11, 28))


@pytest.mark.parametrize("version", ["1.2.4", "1.3.0", "2.0.0", "1.2.10"])
def test_a_later_version_may_be_next(version):
    check_next(version, ["v0.9.0", "v1.2.3"])


@pytest.mark.parametrize(
    "version",
    ["", "1", "1.2", "1.2.3.4", "v1.2.4", "1.2.x", "1.02.4", "1.2.4rc1", "1.-2", "1..4"],
)
def test_what_is_no_version_is_refused(version):
    with pytest.raises(VersionRefused, match=r"is no version like 1\.2\.3"):
        check_next(version, [])


@pytest.mark.parametrize("version", ["1.2.3", "1.2.2", "0.10.0"])
def test_a_version_that_is_not_later_is_refused(version):
    with pytest.raises(VersionRefused, match=r"not later than v1\.2\.3"):
        check_next(version, ["v1.2.3", "v1.0.0"])


def test_the_version_has_one_home(tmp_path):
    home = tmp_path / "registry" / "__init__.py"
    home.parent.mkdir()
    home.write_text(f'"""A registry."""\n\n__version__ = "{__version__}"\n')

    write_version(tmp_path, "3.4.5")

    assert read_version(tmp_path) == "3.4.5"
    assert home.read_text() == '"""A registry."""\n\n__version__ = "3.4.5"\n'
