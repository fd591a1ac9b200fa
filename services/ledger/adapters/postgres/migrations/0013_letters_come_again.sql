-- A record that is read again, after a group was turned back, is put aside again: the letter that was there before is found.

CREATE INDEX dlq_by_origin
    ON ledger.dlq (origin_topic, origin_partition, origin_offset, consumer_group, value_sha256, id);
