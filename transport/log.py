"""The log: append-only records in preallocated segments, written with pwrite and read through read-only mappings."""

from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.log_writer import LogWriter
from steadyhand.transport.segment import LogError

__all__ = ["LogError", "LogReader", "LogWriter"]
