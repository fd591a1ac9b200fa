"""The stream: ports, the Kafka adapter, the in-memory fake, the codec on the wire, the consumer runner and the DLQ.

`ports` knows no vendor; `kafka` is the only door to confluent_kafka; `runner` is the only room that stores offsets.
"""
