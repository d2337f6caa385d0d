"""What the platform offers its dealers."""
