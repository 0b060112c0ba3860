"""Many runs of the suite against one target: chance should change no outcome."""
