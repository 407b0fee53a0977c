"""Palettes (one TOML file each) and the layout they colour: data, no code."""
