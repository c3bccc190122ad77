from steadyhand.transport import log_folder, segment
from steadyhand.transport.log import LogReader
from tests.transport_kit import CONFIG, SCHEMA, log_of, record, session_id, writer_in


def test_segments_are_listed_by_their_numbers_and_other_files_are_not(tmp_path):
    folder = log_of(tmp_path)
    (folder / "notes.segment").touch()
    (folder / "1.prepared").touch()
    listed = log_folder.paths(folder)
    assert [first for first, _ in listed] == [0, 10, 20]
    assert [segment.open_segment(path).first_seq for _, path in listed] == [0, 10, 20]


def test_a_log_is_finished_once_every_segment_is_sealed(tmp_path):
    for first_seq, count in ((7, 10), (17, 2)):
        temporary, part = segment.create(tmp_path, SCHEMA, "arm", session_id(1), first_seq, CONFIG.segment_bytes)
        temporary.replace(part.path)
        assert not log_folder.is_finished(tmp_path)
        segment.finish(part, count)
        assert log_folder.is_finished(tmp_path)


def test_another_segment_stands_for_a_lost_header(tmp_path):
    for first in (0, 10):
        writer = writer_in(tmp_path)
        while writer.next_seq < first + 10:
            writer.append(record(step=writer.next_seq))
        writer.close()
    path = log_folder.paths(tmp_path)[0][1]
    raw = bytearray(path.read_bytes())
    raw[:8192] = bytes(8192)
    path.write_bytes(raw)
    reader = LogReader(tmp_path)
    assert reader.gather(range(20), "step_index").tolist() == list(range(20))
    again = writer_in(tmp_path)  # writes it anew
    again.close()
    assert segment.open_segment(path).known() == (10, True)
