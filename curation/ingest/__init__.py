"""From X to candidates. One room for each way: polling, streaming, rechecking, links; storing serves them all."""
