"""What is looked at before the first step: whether the networks can be trained, and the memory that takes."""
