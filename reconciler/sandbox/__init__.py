"""An embedded ClearML-compatible server, written from the API reference alone."""
