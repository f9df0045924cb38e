"""What a worker does for its parent: checks, timings, trainings of one backend."""
