"""A server that speaks TensorFlow Serving's protocol, for tests: the same `Session`.

    PYTHONPATH=tests python -m serving.protocol_server --model_config_file models.config

TensorFlow Serving loads a SavedModel with `LoadSavedModel` and answers a Predict with
`Session::Run` on the signature's tensor names. So does this, on the official messages,
with TensorFlow Serving's rules for versions, labels and batches, and its words for what
is wrong. What those rules and words are was read in its sources (2.20):
https://github.com/tensorflow/serving
"""
