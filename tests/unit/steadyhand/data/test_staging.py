import pytest

from steadyhand.data.staging import StagingError, replaced, staged
from tests.unit.steadyhand.data.data_kit import tree


def test_a_folder_appears_complete(tmp_path):
    with staged(tmp_path / "a" / "b") as place:
        place.mkdir()
        (place / "file").write_text("x")
        assert not (tmp_path / "a" / "b").exists()
    assert tree(tmp_path) == ["a", "a/b", "a/b/file"]


def broken_off(place, kind):
    if kind == "folder":
        place.mkdir()
        (place / "x").write_text("x")
    elif kind == "file":
        place.write_text("x")
    raise RuntimeError(kind)


@pytest.mark.parametrize("kind", ["file", "folder", "nothing"])
def test_after_an_error_nothing_is_left(tmp_path, kind):
    with pytest.raises(RuntimeError, match=kind), staged(tmp_path / "a" / "b") as place:
        broken_off(place, kind)
    assert tree(tmp_path) == []


def test_what_exists_is_kept(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("link", "."):
        with pytest.raises(StagingError, match="expected a new file or folder"), staged(tmp_path / name):
            pass


def test_the_old_folder_stays_beside_the_new_one(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "old").write_text("x")
    with replaced(tmp_path / "set") as (place, old):
        place.mkdir()
        (place / "new").write_text("x")
    assert tree(tmp_path) == sorted([old.name, f"{old.name}/old", "set", "set/new"])


def test_after_an_error_the_old_folder_is_in_its_place(tmp_path):
    (tmp_path / "set").mkdir()
    with pytest.raises(RuntimeError, match="folder"), replaced(tmp_path / "set") as (place, _):
        broken_off(place, "folder")
    assert tree(tmp_path) == ["set"]
