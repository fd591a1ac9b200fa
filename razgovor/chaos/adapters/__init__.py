"""The rig's own doors to PostgreSQL and Kafka: what an operator's tools do not need, such as turning a group back."""
