"""What a person does to an installation: start it, check it, clean it up, demonstrate it, talk to it."""
