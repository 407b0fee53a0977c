"""Snapshot in, rows of text out: pure functions that know widths and words, but no widget."""
