"""`python -m include` is the CLI."""

from include.cli import main

if __name__ == "__main__":
    main()
