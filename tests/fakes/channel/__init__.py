"""How a test commands a stand-in that is a process of its own."""
