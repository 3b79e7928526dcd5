"""The laboratory for programs: explanations, their files and maps, and the layers of the networks."""
