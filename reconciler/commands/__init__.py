"""What each command does, as functions without a command line: the Python API."""
