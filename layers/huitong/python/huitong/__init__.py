"""Huitong 汇通: government data sharing, from delivery to push."""

__version__ = "0.1.0"
