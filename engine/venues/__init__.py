"""The venues: each turns what its venue says into facts, and orders into what its venue wants."""
