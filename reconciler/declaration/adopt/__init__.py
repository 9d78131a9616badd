"""Writes what is live back into the files of a declaration, at the lines of what drifted."""
