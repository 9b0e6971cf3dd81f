"""The workspace on disk: one DuckDB writer, schema and migrations, the journal, SQL views, blobs.

Owns every byte that outlives the process; it does not own what an event means.
"""
