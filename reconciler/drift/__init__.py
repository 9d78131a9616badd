"""Drift with a memory: what was last applied, what is declared and what is live, told apart. Pure functions."""
