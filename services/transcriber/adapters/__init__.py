"""The transcriber's doors: the decoder and Silero in one child process, Whisper in another."""
