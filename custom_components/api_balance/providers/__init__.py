"""Where facts come from: one module per provider, listed in `catalog`."""
