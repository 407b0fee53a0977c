"""Perpetuals: what a venue put on the book, and positions held between barriers."""
