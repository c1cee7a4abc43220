"""Vouchers: programmes, applications, vouchers, redemptions, the ledger and payouts."""
