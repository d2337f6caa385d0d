"""Where things are kept: tables, engine, migrations, and the points stores of both engines."""
