"""What the Health page tells of reading X: reads bounded by time, sentences, and charts as geometry."""
