"""The one-machine stack: broker, database and the four services as processes of ours, kept running and ended together."""
