"""Every fault that this machine can inject, over two hops of real sshd: docs/faults.md has the table."""
