"""One tar with everything that a machine without a network needs: packages, model, Kafka's jars, a Python, units, an installer.

`razgovor bundle` (`make bundle`) makes it from a source tree on a machine with a network; `install.sh` in it does the rest.
"""
