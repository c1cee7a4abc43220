"""Search: a Tantivy index beside the database, built from it and following it."""
