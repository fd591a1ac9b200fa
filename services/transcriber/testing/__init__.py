"""What tests of the transcriber, and of those who start it, need: a tiny real model, made in a tenth of a second."""
