"""Crypto exchanges through ccxt: perpetuals at four of them, and Binance spot.

The library is imported by the first connection of a configured venue, never on the way to it.
"""
