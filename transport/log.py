"""The log: append-only records in preallocated segments, written with pwrite and read through read-only mappings."""

from transport.log_reader import LogReader
from transport.log_writer import LogWriter
from transport.segment import LogError

__all__ = ["LogError", "LogReader", "LogWriter"]
