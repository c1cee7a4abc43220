"""Charts of what a portfolio holds, each with a table that says the same."""
