"""A cluster made to agree with schemas/topics.yaml, its access rules with a file, its registry with the released schemas."""
