"""A native program in Python, which knows nothing of weir: radar objects (three doubles), as those of iceoryx's examples.

pyzmq_peer.py subscribe ENDPOINT    prints the first double of each
pyzmq_peer.py publish ENDPOINT      sends 1, 2, 3 … until it is ended
"""

import itertools
import struct
import sys
import time

import zmq

role, endpoint = sys.argv[1:3]
socket = zmq.Context().socket(zmq.SUB if role == "subscribe" else zmq.PUB)
if role == "subscribe":
    socket.setsockopt_string(zmq.SUBSCRIBE, "")
    socket.connect(endpoint)
    print("ready", flush=True)
    while True:
        print("received", int(struct.unpack("=ddd", socket.recv())[0]), flush=True)
else:
    socket.bind(endpoint)
    print("ready", flush=True)
    for number in itertools.count(1):
        socket.send(struct.pack("=ddd", number, number, number))
        time.sleep(0.01)
