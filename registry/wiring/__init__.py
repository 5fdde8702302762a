"""Assembly: the only layer that knows every concrete class, and the clock.

Each entrance imports the module that it needs, so that none waits for the parts of another.
"""
