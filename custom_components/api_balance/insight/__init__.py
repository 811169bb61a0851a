"""Conclusions from facts."""
