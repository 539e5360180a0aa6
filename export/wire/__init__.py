"""wire: what goes over the network to TensorFlow Serving, without TensorFlow.

The messages of gRPC and the JSON of REST, to and from NumPy arrays and a `Contract`.
"""
