"""What goes wrong in training and can be helped by the user."""


class TrainingDataError(ValueError):
    """Training data, options or a missing package are at fault; the message says what to do."""
