"""Plugins that let LocalStack run whole stacks on a machine without Docker. See README.md."""
