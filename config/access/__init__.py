"""Who gets in: failed log-ins, second factors, sessions and their limits."""
