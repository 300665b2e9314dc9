"""The base of every error that is meant for a person."""


class HabnError(ValueError):
    """What a person can put right: the message is one sentence that says what is wrong and what to do.

    Commands and page show it as it is. Whatever else goes wrong is a fault of the program and keeps its traceback.
    """
