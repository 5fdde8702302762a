"""Files that commands write are there whole, or not at all."""

import stat

import pytest

from registry.terminal.whole_files import open_whole


def test_a_file_is_there_when_the_block_ends_well_and_not_before(tmp_path):
    path = tmp_path / "file"

    with open_whole(path) as file:
        file.write(b"whole")
        was_there = path.exists()

    assert not was_there
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_after_ctrl_c_what_was_there_stays_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    with pytest.raises(KeyboardInterrupt):
        write_half(path)

    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("is_early", [True, False])
def test_a_file_of_somebody_else_is_not_replaced_unless_that_is_asked_for(tmp_path, is_early):
    path = tmp_path / "file"
    if is_early:
        path.write_bytes(b"theirs")

    with pytest.raises(FileExistsError):
        write_beside(path)

    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_for_those_for_whom_new_files_are_or_as_it_is_asked(tmp_path):
    usual, plain = tmp_path / "usual", tmp_path / "plain"
    plain.touch()

    for path, more in ((usual, {}), (tmp_path / "ours", {"mode": 0o600})):
        with open_whole(path, **more):
            pass

    assert stat.S_IMODE(usual.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == 0o600


def test_a_folder_that_is_not_there_is_told_by_the_name_that_was_given(tmp_path):
    path = tmp_path / "nowhere" / "file"

    with pytest.raises(FileNotFoundError) as caught, open_whole(path):
        pass

    assert caught.value.filename == str(path)


def write_half(path):
    with open_whole(path) as file:
        file.write(b"ha")
        raise KeyboardInterrupt


def write_beside(path):
    with open_whole(path, is_replacing=False) as file:
        path.write_bytes(b"theirs")  # while ours is written
        file.write(b"ours")
