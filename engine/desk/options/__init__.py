"""The options desk: strategies, what happened to their legs, and how to get out."""
