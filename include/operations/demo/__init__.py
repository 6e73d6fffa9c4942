"""What only the demo needs: a newsroom that plays the publisher, and a mailbox that shows every mail."""
