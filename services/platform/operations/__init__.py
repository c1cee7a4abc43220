"""Long work in chunks, each a transaction: it shows how far it is, can be cancelled, survives a crash."""
