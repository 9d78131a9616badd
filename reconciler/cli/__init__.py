"""The command line: one module per command; parses options, calls the library, picks a view, sets the exit code."""
