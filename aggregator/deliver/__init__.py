"""One message to one far side: each channel has `async send(message)` and `async aclose()`.

A sender returns a `Receipt` or says why the message was not delivered; it raises nothing for what a far side does.
It keeps no queue and counts no attempts: `outbox` does.
"""
