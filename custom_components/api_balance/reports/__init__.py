"""Spend and purchases: reported by the provider, else by the ledger."""
