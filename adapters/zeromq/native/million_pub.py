"""The publisher of the text, without its prints and its pause between messages.

million_pub.py ENDPOINT [MESSAGES]
"""

import sys

import zmq

context = zmq.Context()
socket = context.socket(zmq.PUB)
socket.bind(sys.argv[1])
for i in range(int(sys.argv[2]) if len(sys.argv) > 2 else 1000000):
    message = f"Message {i}"
    socket.send_string(message)
socket.close()
context.term()
