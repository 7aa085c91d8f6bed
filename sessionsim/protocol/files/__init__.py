"""Attachments, profile pictures, and the file server that keeps them; one module a concept."""
