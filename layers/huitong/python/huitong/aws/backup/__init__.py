"""Backup of a whole deployment to a folder, and restore of it into an empty one (S-25, L-54).

Run by a person with rights of their own, never by a function: no function's role names the second site.
"""
