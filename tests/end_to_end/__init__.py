"""End-to-end tests: a real Home Assistant against the simulator."""
