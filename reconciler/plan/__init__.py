"""Pure functions from two snapshots to a plan: scope, difference, order, guards, fingerprints."""
