"""Carries a plan out on an in-memory copy of the workspace first, through the very same code."""
