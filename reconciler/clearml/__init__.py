"""The ClearML API: transport (sign-in, repeats, envelope, errors), read → live snapshot, write ← operations.

Nothing is imported here, so that a command that never talks to a server does not pay for an HTTP client.
"""
