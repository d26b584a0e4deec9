"""A function that does nothing: what any function in Python pays for the runtime alone."""


def handler(event, context):
    return None
