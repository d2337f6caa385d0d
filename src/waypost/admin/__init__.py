"""What an operator does without HTTP: operations, and the local socket through which a command line
asks a running server to do them.

The server listens on ``DIR/admin.sock`` (mode 0600). A client sends one request as a line of JSON,
``{"command": "points.count", ...}``, and reads lines until the last: ``{"progress": ...}`` any
number of times, then ``{"result": ...}`` or ``{"error": "text"}``. Closing the connection ends
what is under way. Without a server the command line does the same operations itself.
"""
