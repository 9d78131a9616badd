"""The organization's own rules, evaluated on what is declared and on what a plan lets somebody gain."""
