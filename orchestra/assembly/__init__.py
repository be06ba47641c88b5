"""The one place that wires things: plugins, loader, planner, engine, lab and the control server."""
