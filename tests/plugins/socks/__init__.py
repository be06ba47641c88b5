"""The proxy: its protocols by themselves, its policy, and the kind over sessions in memory."""
