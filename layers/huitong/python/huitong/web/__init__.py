"""HTTPS: what the two Chalice apps (functions/api, functions/query_data) share. Not a capability."""
