"""Proofs that anybody can run: rivals on real PostgreSQL, in a database of their own (`manage.py prove`)."""
