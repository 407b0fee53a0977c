"""What the bulkhead command does, one module a kind: run, act, look."""
