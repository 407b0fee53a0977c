"""The engine: owns positions, decisions, orders and the journal. It needs no terminal."""
