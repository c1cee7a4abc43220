"""Career portfolios: what a person did, can and plans, owned by the person."""
