from steadyhand.transport import log, log_reader, log_writer, segment


def test_one_import_gives_both_ends():
    assert log.LogWriter is log_writer.LogWriter
    assert log.LogReader is log_reader.LogReader
    assert log.LogError is segment.LogError
