#!/bin/sh
# Keys and headers of a topic's records with kcat: which job, which schema, which trace. The values stay bytes (Debian's kcat
# is built without Avro).
#   sh read_headers.sh localhost:9092 transcript.ready
set -eu
exec kcat -C -e -q -b "$1" -t "$2" -o beginning -f 'key=%k headers=%h value_bytes=%S\n'
