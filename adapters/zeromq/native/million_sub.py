"""The subscriber of the text, without its prints."""

import sys

import zmq

context = zmq.Context()
socket = context.socket(zmq.SUB)
socket.connect(sys.argv[1])
socket.setsockopt_string(zmq.SUBSCRIBE, "")  # Subscribe to all messages
received_count = 0
while True:
    message = socket.recv_string()
    received_count += 1
    if received_count == 1000000:  # Stop after receiving all messages
        break
socket.close()
context.term()
