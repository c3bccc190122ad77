import io
import logging

import pytest

from steadyhand.runtime.logging import escaped, get_logger, quoted, setup


@pytest.fixture
def steadyhand_logger():
    """The product's root logger, put back as it was."""
    logger = logging.getLogger("steadyhand")
    before = (logger.handlers[:], logger.level, logger.propagate)
    logger.handlers, logger.propagate = [], True  # pytest adds its own to one that does not propagate
    yield logger
    logger.handlers, logger.level, logger.propagate = before


def captured(logger: logging.Logger) -> io.StringIO:
    stream = io.StringIO()
    logger.handlers[0].setStream(stream)
    return stream


def test_one_line_with_level_and_name(steadyhand_logger):
    setup("info")
    stream = captured(steadyhand_logger)
    get_logger("transport.intake").warning("no heartbeat for %d ms", 300)
    assert stream.getvalue().endswith("WARNING steadyhand.transport.intake: no heartbeat for 300 ms\n")
    assert stream.getvalue().count("\n") == 1


def test_setup_twice_changes_the_level_and_adds_no_second_line(steadyhand_logger):
    setup("info")
    setup("ERROR")
    stream = captured(steadyhand_logger)
    get_logger("actor").warning("hidden")
    get_logger("actor").error("shown")
    assert stream.getvalue().count("\n") == 1


def test_the_root_logger_is_left_alone(steadyhand_logger):
    before = (logging.getLogger().handlers[:], logging.getLogger().level)
    setup("debug")
    assert (logging.getLogger().handlers, logging.getLogger().level) == before


def test_unknown_level_names_the_choices(steadyhand_logger):
    with pytest.raises(ValueError, match="one of debug, info, warning, error; found 'loud'"):
        setup("loud")


def test_quoted_cannot_forge_a_line():
    hostile = "x\n12:00:00 INFO forged\x1b[31m\u202e"
    assert "\n" not in quoted(hostile)
    assert quoted(hostile).isascii()
    assert quoted(hostile).isprintable()


def test_quoted_is_bounded():
    assert len(quoted("a" * 10_000)) == 80
    assert quoted("short") == "'short'"


def test_an_escaped_sentence_is_one_plain_bounded_line():
    assert escaped("expected 1, found 'two'") == "expected 1, found 'two'"
    hostile = escaped("x\n12:00:00 INFO forged\x1b[31m\u202e" + "y" * 10_000)
    assert hostile.isascii()
    assert hostile.isprintable()
    assert len(hostile) == 200
