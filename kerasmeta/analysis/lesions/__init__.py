"""What lesions tell: which units matter, and how performance falls with their loss."""
