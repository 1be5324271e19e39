"""A publisher that knows nothing of weir: numbers, until it is ended."""

import itertools
import sys

import zmq

socket = zmq.Context().socket(zmq.PUB)
socket.bind(sys.argv[1] if len(sys.argv) > 1 else "ipc:///tmp/feed")
for number in itertools.count():
    socket.send(b"%d" % number)
