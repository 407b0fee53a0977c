"""The pure core: facts in, intents out. Standard library only, no clock of its own."""
