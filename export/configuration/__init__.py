"""configuration: the files that start the official TensorFlow Serving image.

`models.config`, batching and monitoring for the server itself; a compose file and a
Kubernetes manifest that start it with them.
"""

from .models import ServedModel, served_name
from .server_files import ServerFiles, server_files

__all__ = ["ServedModel", "ServerFiles", "served_name", "server_files"]
