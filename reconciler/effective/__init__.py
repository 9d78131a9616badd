"""What a member or service account ends up with: which vaults reach it, and their merged configuration. Pure."""
