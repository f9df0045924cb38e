"""The command: `python -m convparity`, also from a folder that has a `report` or a `common` of its own."""

from convparity.isolation import OURS


def main() -> None:
    """Runs the command of `report.cli`."""
    with OURS:
        from report.cli import main as command

        command()


if __name__ == "__main__":
    main()
