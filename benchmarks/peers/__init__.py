"""The same work, written by others or in another library, as fast as it will go."""
