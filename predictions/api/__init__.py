"""The API of predictions, batches and networks, below /api/v1/."""
