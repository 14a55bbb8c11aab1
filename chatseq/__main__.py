"""`python -m chatseq` is the same as `chatseq`."""

from chatseq.cli.main import main

if __name__ == "__main__":
    main()
