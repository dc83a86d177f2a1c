"""Files of rows, read without a database: what they are, what stands in them, which orders they mean.

Everything here is a pure reading. What cannot be read is a problem with its place, never a guess.
"""
