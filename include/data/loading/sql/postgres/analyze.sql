analyze loaded.events, loaded.articles, loaded.readers, loaded.names
