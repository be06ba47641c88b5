"""Plugins that come with orchestra, imported as ``orchestra_plugins`` and loaded exactly as a stranger's would be:
by their entry points, through the hooks, with nothing in core that knows them.
"""
