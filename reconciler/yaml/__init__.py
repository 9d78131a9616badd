"""YAML: its events, strict values with their places, and changes in a text that leave the rest of it alone.

The only room that knows the YAML library. What differs between the readers (a declaration, a vault document) is a
:class:`reconciler.yaml.reader.Policy`.
"""
