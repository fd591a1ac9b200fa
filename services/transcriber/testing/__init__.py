"""What tests of the transcriber, and of those who start it, need: tiny real models, made in a tenth of a second."""
