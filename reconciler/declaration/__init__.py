"""The files of a declaration: read with positions, validated, and resolved into a desired snapshot."""
