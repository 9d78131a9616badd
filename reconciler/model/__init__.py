"""The values that everything else works on: resources, snapshots, names and secrets. Imports nothing of ours."""
