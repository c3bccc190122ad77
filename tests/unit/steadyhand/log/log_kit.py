"""A log of three episodes, for the tests of its check and its repair."""

from tests.transport_kit import write_episode, writer_in


def log_of(folder, number: int = 0):
    """Write three episodes of ten records, each in a segment of its own, and return the folder."""
    writer = writer_in(folder, number)
    for episode in range(3):
        write_episode(writer, number, episode, 9)
    writer.close()
    return folder
