"""Hands messages to webhooks and chat systems."""
