"""Readers: any format becomes text columns with source row numbers, block by block (Q-12, Q-13)."""
