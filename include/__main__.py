"""`python -m include` is the CLI."""

from include.operations.cli import main

if __name__ == "__main__":
    main()
