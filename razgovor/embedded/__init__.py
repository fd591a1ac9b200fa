"""Real parts that need no server: PostgreSQL out of a wheel, librdkafka's mock broker. `razgovor.stack` starts them."""
