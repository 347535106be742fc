"""What goes wrong in training and can be helped by the user."""

OUT_OF_MEMORY = ("out of memory", "allocate memory", "ALLOC_FAILED")  # CUDA, processor, cuBLAS


class TrainingDataError(ValueError):
    """Training data, options or a missing package are at fault; the message says what to do."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of the processor or of a GPU; PyTorch says so in words only."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY)
