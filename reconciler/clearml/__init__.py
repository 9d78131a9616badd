"""The ClearML API: sign-in, transport, reading a live snapshot, and the writes."""
