"""Rules of public money in pure Python: states, amounts, clauses, the ledger."""
