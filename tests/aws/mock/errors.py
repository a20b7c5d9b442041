"""What a service answers instead of a result."""


class ApiError(Exception):
    """code is AWS's; status None: as the service's model or protocol has it; fields: members
    of the error's shape beside the message."""

    def __init__(self, code, message, status=None, **fields):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.fields = code, message, status, fields


def refuse(code, message):
    """EC2's answer to what the client did wrong."""
    return ApiError(code, message, 400)
