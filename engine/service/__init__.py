"""Joins the desk, the journal, the venues, the clock and the alerts into one running engine."""
