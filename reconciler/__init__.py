"""ClearML workspaces as code: validate, plan, apply, drift and import."""

__version__ = "0.1.0"
