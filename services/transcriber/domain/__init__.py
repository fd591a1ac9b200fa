"""What the transcriber knows of speech, as pure functions over plain values: no file, no model, no clock."""
