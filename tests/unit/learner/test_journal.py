import subprocess
import sys
from pathlib import Path

import pytest

from steadyhand.learner.journal import Journal, JournalError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def written(path, *blocks):
    journal = Journal(path, 0)
    for step, watermark in blocks:
        journal.note(step, watermark)
    journal.sync()
    journal.close()


def test_a_new_journal_notes_only_what_is_new(path):
    journal = Journal(path, 0)
    assert journal.planned(0) is None
    assert journal.note(0, {"a": 5}) == {"a": 5}
    assert journal.note(2, {"a": 5}) == {}
    assert journal.note(4, {"a": 5, "b": 1}) == {"b": 1}
    assert path.read_text().splitlines() == ['[0,{"a":5}]', "[2,{}]", '[4,{"b":1}]']
    journal.close()


def test_a_resumed_journal_repeats_the_blocks_after_its_step_and_then_goes_on(path):
    written(path, (0, {"a": 5}), (1, {"a": 5}), (2, {"a": 7}), (3, {"a": 7, "b": 2}))
    journal = Journal(path, 2)
    assert journal.seen == [{"a": 5}]
    assert journal.planned(2) == {"a": 7}
    assert journal.note(2, {"a": 99}) == {"a": 7}
    assert journal.note(3, {"a": 99, "b": 9}) == {"b": 2}
    assert journal.planned(4) is None
    assert journal.note(4, {"a": 99, "b": 2}) == {"a": 99}
    journal.close()
    assert Journal(path, 5).seen == [{"a": 5}, {"a": 7}, {"b": 2}, {"a": 99}]


def test_blocks_that_are_made_anew_replace_those_before(path):
    written(path, (0, {"a": 5}), (1, {"a": 6}), (2, {"a": 7}))
    journal = Journal(path, 1)
    journal.drop_ahead()
    assert journal.note(1, {"a": 9}) == {"a": 9}
    journal.close()
    assert path.read_text().splitlines() == ['[0,{"a":5}]', '[1,{"a":9}]']


def test_other_blocks_than_before_are_made_anew(path):
    written(path, (0, {"a": 5}), (4, {"a": 6}), (8, {"a": 7}))
    journal = Journal(path, 6)  # policy_delay was 4 and is 2
    assert journal.planned(6) is None
    assert journal.note(6, {"a": 9}) == {"a": 9}
    journal.close()
    assert path.read_text().splitlines() == ['[0,{"a":5}]', '[4,{"a":6}]', '[6,{"a":9}]']


def test_a_last_line_that_was_cut_short_is_dropped(path):
    written(path, (0, {"a": 5}), (1, {"a": 6}))
    path.write_bytes(path.read_bytes()[:-3])
    journal = Journal(path, 1)
    assert journal.planned(1) is None
    journal.note(1, {"a": 8})
    journal.close()
    assert path.read_text().splitlines() == ['[0,{"a":5}]', '[1,{"a":8}]']


@pytest.mark.parametrize("line", ["{}", "[1]", '[0,{"a":"x"}]', "nonsense", "[0,[]]", "[null,{}]", '["0",{}]'])
def test_another_file_is_refused(path, line):
    path.write_text(f"{line}\n")
    with pytest.raises(JournalError, match="byte 0: expected"):
        Journal(path, 0)


def test_a_disk_that_fills_up_in_the_middle_of_a_line_leaves_whole_lines(path, tmp_path):
    code = (
        "import resource, signal\nfrom pathlib import Path\nfrom steadyhand.learner.journal import Journal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))\n"
        f"journal = Journal(Path({str(path)!r}), 0)\n"
        "for step in range(20):\n"
        "    try:\n        journal.note(step, {'a' * 8: step})\n"
        "    except OSError as error:\n        print(step, error.errno)\n        break\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    step = int(done.stdout.split()[0])
    assert 0 < step < 20, done.stderr
    assert path.read_bytes().endswith(b"}]\n")
    journal = Journal(path, step)
    assert journal.seen == [{"a" * 8: number} for number in range(step)]
    journal.note(step, {"a" * 8: step})  # there is room again
    journal.close()


def test_a_link_in_the_place_of_the_journal_is_not_written_through(path, tmp_path):
    (tmp_path / "elsewhere").write_text("precious")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match="found a symbolic link"):
        Journal(path, 0)
    assert (tmp_path / "elsewhere").read_text() == "precious"
