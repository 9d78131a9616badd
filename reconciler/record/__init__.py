"""What was done and what was last seen applied: kept beside the declaration or in an object store, behind a lock.

The record holds names, outcomes and digests; never a secret, a document or any other value.
"""
