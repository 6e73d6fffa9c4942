"""Lists: arrange a version's ranking into ten articles per reader, audit them and switch them live at once."""
