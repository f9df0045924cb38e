"""One file per block family: the block as a graph of layers, built from hyper-parameters."""
