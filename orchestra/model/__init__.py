"""The nouns of orchestra, as frozen values: addresses, topology, plan, status, events. No behaviour beyond parsing
and printing, no input or output, nothing but the standard library.
"""
