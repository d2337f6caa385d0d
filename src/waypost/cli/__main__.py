"""``python -m waypost.cli``: the command line without the installed script."""

from waypost.cli import main

main()
