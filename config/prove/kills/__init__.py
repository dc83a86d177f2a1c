"""Kill -9 under load: a real web process, worker, beat, PostgreSQL and Redis of the proof's own, and real clients."""
