"""The networks: definition, training, evaluation, export and serving. Imports neither Django nor Celery."""
