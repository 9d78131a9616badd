"""Who reaches what, and through what."""
