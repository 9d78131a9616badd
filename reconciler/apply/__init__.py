"""Carries a plan out: scheduler, stale check, credential delivery and outcomes."""
