"""The pipes between the services. Knows no service.

Rooms, from the bottom up: `errors` and `telemetry`; `contracts` (events, codec, documents); `blobs` and `stream`
(ports with their adapters and fakes), `audio` (sniff, probe, decode), `isolation` (limited child processes); `outcome`.
"""
