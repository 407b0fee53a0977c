"""The tests, in the shape of the tree; fakes/ speak the venues' own wire protocols."""
