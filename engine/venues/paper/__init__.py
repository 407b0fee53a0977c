"""The paper venue: an account that exists nowhere, trading against a synthetic market."""
