import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from steadyhand.transport.label_log import Label, LabelError, LabelReader, append_label
from tests.transport_kit import session_id

ROOT = Path(__file__).parents[3]
LABEL = Label(session_id(1), 3, 5, (0.0, 1.0), (False, True), True, "me", "2025-01-01T00:00:00Z")


def reader(folder):
    return LabelReader(folder, session_id(1))


def test_labels_are_numbered_and_read_in_order_as_they_come(tmp_path):
    labels = reader(tmp_path)
    assert labels.refresh() == []
    assert append_label(tmp_path, LABEL).version == 1
    append_label(tmp_path, replace(LABEL, rewards=None, success=False))
    assert labels.refresh() == [
        replace(LABEL, version=1),
        replace(LABEL, rewards=None, success=False, version=2),
    ]
    assert labels.refresh() == []
    append_label(tmp_path, replace(LABEL, terminated=None))
    assert [label.version for label in labels.refresh()] == [3]


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_that_a_crash_has_cut_short_was_never_said(tmp_path, cut):
    append_label(tmp_path, LABEL)
    path = tmp_path / "labels.log"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-cut])
    assert len(reader(tmp_path).refresh()) == 1
    assert append_label(tmp_path, LABEL).version == 2
    assert len(reader(tmp_path).refresh()) == 2


def test_every_flipped_bit_is_found(tmp_path):
    append_label(tmp_path, LABEL)
    append_label(tmp_path, LABEL)
    path = tmp_path / "labels.log"
    whole = path.read_bytes()
    for place in range(0, len(whole) - 1, 3):
        harmed = bytearray(whole)
        harmed[place] ^= 1 << place % 8
        path.write_bytes(harmed)
        with pytest.raises(LabelError, match="restore"):
            reader(tmp_path).refresh()


def test_another_session_s_label_log_is_refused(tmp_path):
    append_label(tmp_path, LABEL)
    with pytest.raises(LabelError, match="expected label 1 of session"):
        LabelReader(tmp_path, session_id(2)).refresh()
    with pytest.raises(LabelError):
        append_label(tmp_path, replace(LABEL, session_id=session_id(2)))


@pytest.mark.parametrize(
    "change",
    [
        {"end_seq": 3},
        {"first_seq": -1},
        {"rewards": (1.0,)},
        {"rewards": (0.0, float("nan"))},
        {"stages": (0,)},
        {"stages": (0, -2)},
    ],
)
def test_a_label_that_does_not_fit_is_refused(change):
    with pytest.raises(LabelError, match="label: expected"):
        replace(LABEL, **change)


def test_a_full_disk_leaves_the_label_log_as_it_was(tmp_path):
    append_label(tmp_path, LABEL)
    before = (tmp_path / "labels.log").read_bytes()
    code = (
        "import resource, signal\nfrom pathlib import Path\n"
        "from steadyhand.transport.label_log import Label, append_label\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before)} + 9,) * 2)\n"
        f"try:\n    append_label(Path({str(tmp_path)!r}), {LABEL!r})\n"
        "except OSError as error:\n    print(error.errno)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() in ("27", "28"), done.stderr
    assert (tmp_path / "labels.log").read_bytes() == before
