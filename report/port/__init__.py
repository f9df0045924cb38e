"""Comparing modules and moving weights."""
