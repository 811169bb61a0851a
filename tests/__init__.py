"""Tests of API Balance."""
