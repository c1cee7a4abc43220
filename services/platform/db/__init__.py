"""Database: engine, transactions, request ids, paging, etags, migrations, roles."""
