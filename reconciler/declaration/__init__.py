"""The declaration: files read with positions, strict models, cross checks, and the desired snapshot."""
