"""The shapes of the file, as pydantic models: one model for each thing, its short forms expanded in front of it.

The models say what may stand where and nothing else: no names are resolved here. The JSON Schema is made from them.
"""
