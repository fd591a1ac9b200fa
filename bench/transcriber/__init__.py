"""`make bench-transcriber`: our transcriber against bare faster-whisper on the same calls, weights and machine.

Every arm is a warm process of its own; rounds run all of them in random order, between two probes of the machine.
"""
