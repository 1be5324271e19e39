"""A ZeroMQ program as people write them with pyzmq; it knows nothing of weir. What it does: see peer_c.c."""

import select
import struct
import sys

import zmq

SIZES = [8, 64, 1000, 4096, 65536, 1048576]
PATTERN = bytes(range(256)) * (SIZES[-1] // 256 + 2)


def attach(socket, how, endpoint):
    socket.bind(endpoint) if how == "bind" else socket.connect(endpoint)


def content(i):
    size = SIZES[i % len(SIZES)]
    begin = (i + 8) % 256
    return struct.pack("=Q", i) + PATTERN[begin : begin + size - 8]


def publish(socket, topics):
    i = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        if topics:
            socket.send_multipart([b"odd" if i % 2 else b"even", content(i)])
        else:
            socket.send(content(i))
        i += 1


def subscribe(socket, topics, count, prefix):
    socket.setsockopt_string(zmq.SUBSCRIBE, prefix)
    step = 2 if topics and prefix else 1
    expected = 1 if prefix == "odd" else 0
    for _ in range(count):
        frames = socket.recv_multipart()
        assert len(frames) == (2 if topics else 1), f"{len(frames)} frames"
        assert frames[-1] == content(expected), f"not message {expected}"
        expected += step


def main():
    role, how, endpoint, kind = sys.argv[1:5]
    context = zmq.Context()
    socket = context.socket(zmq.PUB if role == "publish" else zmq.SUB)
    attach(socket, how, endpoint)
    if role == "publish":
        publish(socket, kind == "topic")
    else:
        subscribe(socket, kind == "topic", int(sys.argv[5]), sys.argv[6])
    socket.close(linger=0)
    context.term()


main()
