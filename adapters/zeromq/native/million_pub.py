"""The publisher of the text, without its prints and its pause between messages."""

import sys

import zmq

context = zmq.Context()
socket = context.socket(zmq.PUB)
socket.bind(sys.argv[1])
for i in range(1000000):
    message = f"Message {i}"
    socket.send_string(message)
socket.close()
context.term()
