"""How many instances the site needs when, and who waits for how long: a simulation. See README.md beside this file."""
