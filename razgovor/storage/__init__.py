"""Sets a store up for a deployment: bucket, encryption, lifecycle, a user with a policy for each service."""
