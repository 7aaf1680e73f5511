"""Sound files and levels: what is read, how loud it is, and how it is written."""
