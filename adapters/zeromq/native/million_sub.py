"""The subscriber of the text, without its prints.

million_sub.py ENDPOINT [MESSAGES]
"""

import sys

import zmq

context = zmq.Context()
socket = context.socket(zmq.SUB)
socket.connect(sys.argv[1])
socket.setsockopt_string(zmq.SUBSCRIBE, "")  # Subscribe to all messages
received_count = 0
expected_count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
while True:
    message = socket.recv_string()
    received_count += 1
    if received_count == expected_count:  # Stop after receiving all messages
        break
socket.close()
context.term()
