"""The import desk: a file comes in, is checked whole, applied in chunks, then finished or rolled back."""
