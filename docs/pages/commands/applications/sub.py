"""A subscriber that knows nothing of weir: takes a hundred numbers, and says how many were missing between them."""

import sys

import zmq

socket = zmq.Context().socket(zmq.SUB)
socket.connect(sys.argv[1] if len(sys.argv) > 1 else "ipc:///tmp/feed")
socket.subscribe(b"")
numbers = [int(socket.recv()) for _ in range(100)]
print(f"received 100, lost {numbers[-1] - numbers[0] - 99}", flush=True)
