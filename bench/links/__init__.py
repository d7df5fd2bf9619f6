"""What slow links mean for the patches of docs/delta.md, calculated."""
