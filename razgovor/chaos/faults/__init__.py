"""The faults, a module for each kind. `script` knows them all."""
