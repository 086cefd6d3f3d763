"""The public functions, by family; `autograd` exports them all."""
