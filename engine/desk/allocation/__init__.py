"""Allocation: each z-score strategy trades with its own reserved funds."""
