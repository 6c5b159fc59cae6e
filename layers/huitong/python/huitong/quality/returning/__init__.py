"""The sender's own file, given back with what is wrong beside each row (C-07, C-13)."""
