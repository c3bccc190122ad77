"""A new file or folder that appears under its name complete, or not at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.runtime.run_folder import sync_folder

__all__ = ["StagingError", "replaced", "staged"]


class StagingError(ValueError):
    """A place for a result that is taken."""


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """Yield a place beside `path`, and give it that name at the end. After an exception nothing is left.

    Raises:
        StagingError: There is something at `path` already.
    """
    if path.exists() or path.is_symlink():
        raise StagingError(f"{path}: expected a new file or folder, found one that exists; choose another name")
    made = _missing_parents(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    place = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield place
        place.rename(path)
        sync_folder(path.parent)
    except BaseException:
        if place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)
        for folder in made:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise


@contextmanager
def replaced(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield (place of the new folder, later name of the old one), and put the new one in the old one's place.

    The old folder stays beside it under its later name, with the time of the change. After an exception nothing has
    changed.
    """
    stamp = "".join(sign for sign in utc_text(wall_time_ns()) if sign.isdigit())[:14]
    old = folder.with_name(f"{folder.name}.before-{stamp}")
    if old.exists():
        raise StagingError(f"{old}: expected no such folder, found one; wait a second and try again")
    new = folder.with_name(f"{folder.name}.new-{secrets.token_hex(4)}")
    with staged(new) as place:
        yield place, old
    folder.rename(old)
    new.rename(folder)
    sync_folder(folder.parent)


def _missing_parents(path: Path) -> list[Path]:
    """Return the folders above `path` that do not exist yet, the innermost first."""
    return [folder for folder in path.parents if not folder.exists()]
