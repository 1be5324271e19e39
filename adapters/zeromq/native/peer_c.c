/* A ZeroMQ program as people write them in C on zmq.h; it knows nothing of weir.
 *
 *   peer_c publish   bind|connect ENDPOINT plain|topic           until its standard input ends
 *   peer_c subscribe bind|connect ENDPOINT plain|topic COUNT PREFIX
 *   peer_c proxy     FRONTEND BACKEND                            until it is killed
 *
 * Message i has sizes[i % 6] bytes: i as 8 bytes, then byte k is i + k. With topics it comes after a frame "even" or
 * "odd". A subscriber expects all it gets to be right and in order, and the first COUNT without a gap if they are told
 * to it from 0 on. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

static const size_t sizes[6] = {8, 64, 1000, 4096, 65536, 1048576};

static int fail(const char* what) {
  fprintf(stderr, "peer_c: %s: %s\n", what, zmq_strerror(zmq_errno()));
  return 1;
}

static int attach(void* socket, const char* how, const char* endpoint) {
  return strcmp(how, "bind") == 0 ? zmq_bind(socket, endpoint) : zmq_connect(socket, endpoint);
}

static int publish(void* socket, int topics) {
  struct pollfd end = {0, POLLIN, 0};
  char* bytes = malloc(sizes[5]);
  for (unsigned long long i = 0; poll(&end, 1, 0) == 0; ++i) {
    const size_t size = sizes[i % 6];
    memcpy(bytes, &i, 8);
    for (size_t k = 8; k < size; ++k) bytes[k] = (char)(i + k);
    const char* topic = i % 2 == 0 ? "even" : "odd";
    if (topics && zmq_send(socket, topic, strlen(topic), ZMQ_SNDMORE) < 0) return fail("sending a topic");
    if (zmq_send(socket, bytes, size, 0) < 0) return fail("sending");
  }
  free(bytes);
  return 0;
}

static int subscribe(void* socket, int topics, unsigned long long count, const char* prefix) {
  zmq_setsockopt(socket, ZMQ_SUBSCRIBE, prefix, strlen(prefix));
  const unsigned long long step = topics && strlen(prefix) > 0 ? 2 : 1;
  unsigned long long expected = strcmp(prefix, "odd") == 0 ? 1 : 0;
  for (unsigned long long n = 0; n < count; ++n, expected += step) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (topics) {
      if (zmq_msg_recv(&message, socket, 0) < 0) return fail("receiving a topic");
      if (!zmq_msg_more(&message)) return fail("no frame after the topic");
    }
    if (zmq_msg_recv(&message, socket, 0) < 0) return fail("receiving");
    if (zmq_msg_more(&message)) return fail("an unexpected frame");
    unsigned long long i;
    const char* bytes = zmq_msg_data(&message);
    memcpy(&i, bytes, 8);
    if (i != expected || zmq_msg_size(&message) != sizes[i % 6]) {
      fprintf(stderr, "peer_c: got message %llu of %zu bytes instead of %llu\n", i, zmq_msg_size(&message), expected);
      return 1;
    }
    for (size_t k = 8; k < sizes[i % 6]; ++k) {
      if (bytes[k] != (char)(i + k)) return fail("a wrong byte");
    }
    zmq_msg_close(&message);
  }
  return 0;
}

int main(int argc, char** argv) {
  void* context = zmq_ctx_new();
  int result = 2;
  if (argc == 4 && strcmp(argv[1], "proxy") == 0) {
    void* frontend = zmq_socket(context, ZMQ_XSUB);
    void* backend = zmq_socket(context, ZMQ_XPUB);
    if (zmq_bind(frontend, argv[2]) != 0 || zmq_bind(backend, argv[3]) != 0) return fail("binding");
    return zmq_proxy(frontend, backend, NULL);
  }
  if (argc == 5 && strcmp(argv[1], "publish") == 0) {
    void* socket = zmq_socket(context, ZMQ_PUB);
    if (attach(socket, argv[2], argv[3]) != 0) return fail(argv[3]);
    result = publish(socket, strcmp(argv[4], "topic") == 0);
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_close(socket);
  } else if (argc == 7 && strcmp(argv[1], "subscribe") == 0) {
    void* socket = zmq_socket(context, ZMQ_SUB);
    if (attach(socket, argv[2], argv[3]) != 0) return fail(argv[3]);
    result = subscribe(socket, strcmp(argv[4], "topic") == 0, strtoull(argv[5], NULL, 10), argv[6]);
    zmq_close(socket);
  }
  zmq_ctx_term(context);
  return result;
}
