"""What tests of every room share: samples of events and waiting with a deadline. Never imported by a service."""
