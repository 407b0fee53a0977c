"""Widgets that draw finished rows; none of them knows what a strategy is."""
