"""Several nodes of one cluster on one machine, each with a PostgreSQL of its own."""
