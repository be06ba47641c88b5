"""What is probably not meant in a file that works: rules without effect, parts without use, texts with two meanings."""
