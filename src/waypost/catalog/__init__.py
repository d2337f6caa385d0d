"""Facts as data files and their typed loaders: errors, rights, vocabulary, device models, tracking
profiles, special settings, sensor inputs, the generic protocol, API actions.

Importing this package loads nothing; each table is read from ``data/`` when it is first asked for.
"""
