"""Tests of what does not know Home Assistant: once, whatever version is installed."""
