"""``python -m wganx.cli``, where no ``wganx`` script is on the path."""

from wganx.cli import main

if __name__ == "__main__":
    main(prog_name="wganx")
