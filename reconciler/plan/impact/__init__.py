"""Who gains and who loses what, from two snapshots: what reviewers approve a plan by."""
