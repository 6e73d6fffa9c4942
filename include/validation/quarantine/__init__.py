"""The rows that were set aside: who they are, why, and how they come back after a fix."""
