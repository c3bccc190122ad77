import os

import pytest

from steadyhand.output import OutputError, check_output


def test_a_file_that_can_be_written_passes_whether_it_is_there_or_not(tmp_path):
    check_output(tmp_path / "new.json", "--json")
    (tmp_path / "old.json").write_text("{}")
    check_output(tmp_path / "old.json", "--json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.json"]


@pytest.mark.parametrize(
    ("name", "found"),
    [("", "a folder of that name"), ("none/x.json", "no folder at"), ("file/x.json", "a file at")],
)
def test_what_cannot_be_written_is_named(tmp_path, name, found):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=f"--json .*: expected a file that can be written, found {found}"):
        check_output(tmp_path / name, "--json")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="no permission to write"):
        check_output(tmp_path / "x.json", "--json")


def test_a_folder_of_somebody_else_is_named_for_root_too(tmp_path, monkeypatch):
    monkeypatch.setattr("steadyhand.output.os.access", lambda path, mode: False)
    with pytest.raises(OutputError, match="no permission to write"):
        check_output(tmp_path / "x.json", "--json")
