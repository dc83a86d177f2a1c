"""Setting a machine up and running the test suite; standard library only until the environment stands."""
