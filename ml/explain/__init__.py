"""Where every number inside a network comes from: its layers and weights, one picture's activations, their sums.

``structure`` reads the layers and the weights without OpenVINO, ``trace`` computes what every layer gave for a
picture, ``arithmetic`` takes single cells apart, ``archive`` keeps it all in one file. Pages and the tests use the
same code; nothing here imports Django, Keras or TensorFlow, and OpenVINO only where a graph is computed.
"""
