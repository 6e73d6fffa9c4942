"""From the publisher's views to an immutable snapshot: whole, and addressed by its content."""
