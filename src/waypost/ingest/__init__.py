"""From messages to committed points and states, with what all connections have at this moment
together in one transaction."""

from waypost.ingest.foldings import Foldings
from waypost.ingest.ingest import Ingest
from waypost.ingest.submission import LiveSource

__all__ = ["Foldings", "Ingest", "LiveSource"]
