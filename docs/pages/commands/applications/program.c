// A publisher that knows nothing of weir: the same message until it is ended.
#include <zmq.h>

int main(int count, char** arguments) {
  void* socket = zmq_socket(zmq_ctx_new(), ZMQ_PUB);
  if (count != 2 || zmq_bind(socket, arguments[1]) != 0) return 1;
  while (zmq_send(socket, "hello", 5, 0) == 5) {
  }
  return 1;
}
