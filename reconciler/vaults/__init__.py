"""Vault documents: parsed safely, brought to a normal form, compared, merged and redacted."""
