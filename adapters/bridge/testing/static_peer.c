/* A native program with libzmq linked into it, as in a wheel of PyPI: no library can be put before it. It binds the
 * endpoint and sends "message 0", "message 1" … until it is ended. */
#include <stdio.h>
#include <time.h>

#include <zmq.h>

int main(int count, char** arguments) {
  void* const context = zmq_ctx_new();
  void* const publisher = zmq_socket(context, ZMQ_PUB);
  const struct timespec pause = {.tv_sec = 0, .tv_nsec = 5000000};
  if (count != 2 || zmq_bind(publisher, arguments[1]) != 0) return 1;
  puts("ready");
  fflush(stdout);
  for (unsigned long number = 0;; ++number) {
    char text[64];
    const int size = snprintf(text, sizeof(text), "message %lu", number);
    if (zmq_send(publisher, text, (size_t)size, 0) != size) return 1;
    nanosleep(&pause, NULL);
  }
}
