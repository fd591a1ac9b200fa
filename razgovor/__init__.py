"""The product's edge: command line, one-machine stack, demo, doctor. Stands over the services; nobody imports it."""
