"""Rules of work: tasks and their life, who is to do them, what is due, group rentals, what is known and how fresh."""
