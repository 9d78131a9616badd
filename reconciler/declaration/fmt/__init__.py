"""The canonical style of a declaration's files: how they are laid out, whatever they mean."""
