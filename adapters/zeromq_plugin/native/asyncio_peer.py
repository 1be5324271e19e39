"""A pyzmq program on asyncio; it knows nothing of weir.

   asyncio_peer.py ENDPOINT TCP_ENDPOINT COUNT

Publishes and subscribes in one event loop: at ENDPOINT and at TCP_ENDPOINT, each with a topic and without losing one.
"""

import asyncio
import sys

import zmq
import zmq.asyncio


async def publish(socket, name, count):
    for number in range(count):
        await socket.send_multipart([name, b"%d" % number])
        if number % 7 == 0:
            await asyncio.sleep(0)


async def subscribe(socket, count):
    expected = {b"shm": 0, b"tcp": 0}
    while sum(expected.values()) < 2 * count:
        name, number = await socket.recv_multipart()
        assert int(number) == expected[name], (name, number, expected)
        expected[name] += 1


async def main():
    endpoint, tcp_endpoint, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    context = zmq.asyncio.Context()
    subscriber = context.socket(zmq.SUB)
    subscriber.setsockopt(zmq.SUBSCRIBE, b"")
    one = context.socket(zmq.XPUB)
    two = context.socket(zmq.XPUB)
    for socket in (one, two):
        socket.setsockopt(zmq.XPUB_NODROP, 1)
    one.bind(endpoint)
    two.bind(tcp_endpoint)
    subscriber.connect(endpoint)
    subscriber.connect(two.getsockopt(zmq.LAST_ENDPOINT).decode())
    assert await one.recv() == b"\1"
    assert await two.recv() == b"\1"
    ticks = 0

    async def tick():  # the loop goes on while sockets are waited for
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    ticking = asyncio.ensure_future(tick())
    await asyncio.gather(publish(one, b"shm", count), publish(two, b"tcp", count), subscribe(subscriber, count))
    ticking.cancel()
    assert ticks > 0
    # What comes after a pause is heard too.
    waiting = asyncio.ensure_future(subscriber.recv_multipart())
    await asyncio.sleep(0.01)
    await one.send_multipart([b"shm", b"late"])
    assert await waiting == [b"shm", b"late"]
    context.destroy(linger=0)


asyncio.run(main())
