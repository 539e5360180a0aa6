"""Harlow's visual fixation task, in symbols and in pixels."""
