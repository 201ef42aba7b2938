"""``python -m stream``: the same commands as ``retention-stream``."""

from stream.cli import main

if __name__ == "__main__":
    main()
