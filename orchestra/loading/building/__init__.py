"""From shapes to the model: names resolved, files made absolute, defaults filled in, contradictions reported.

Whatever does not resolve is reported and left out, so that the topology is always whole in itself.
"""
