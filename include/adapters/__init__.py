"""The only files that import a vendor's client. Thin: no decision of ours is taken here."""
