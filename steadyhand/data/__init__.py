"""Data in and out: importers, exporters, operations on demo sets, and checks of what they hold."""

__all__: list[str] = []
