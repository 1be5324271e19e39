/* A ZeroMQ program that measures publish and subscribe between two processes; it knows nothing of weir.
 *
 *   speed throughput|latency ENDPOINT ENDPOINT_BACK SIZE COUNT
 *
 * Prints bytes, messages a second, or half of the median round trip in microseconds. Every byte is written; a byte of
 * each cache line is read. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

static double seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void send_one(void* socket, size_t size, int content) {
  zmq_msg_t message;
  zmq_msg_init_size(&message, size);
  memset(zmq_msg_data(&message), content, size);
  if (zmq_msg_send(&message, socket, 0) < 0) exit(1);
}

static unsigned long receive_one(void* socket) {
  unsigned long sum = 0;
  zmq_msg_t message;
  zmq_msg_init(&message);
  if (zmq_msg_recv(&message, socket, 0) < 0) exit(1);
  const unsigned char* bytes = zmq_msg_data(&message);
  for (size_t k = 0; k < zmq_msg_size(&message); k += 64) sum += bytes[k];
  zmq_msg_close(&message);
  return sum;
}

static int compare(const void* one, const void* other) {
  const double difference = *(const double*)one - *(const double*)other;
  return difference < 0 ? -1 : difference > 0;
}

static void measure_latency(void* to, void* from, size_t size, long count, int is_first) {
  double* times = malloc((size_t)count * sizeof *times);
  for (long i = 0; i < count; ++i) {
    const double begin = seconds();
    if (is_first) send_one(to, size, (int)i);
    receive_one(from);
    if (!is_first) send_one(to, size, (int)i);
    times[i] = seconds() - begin;
  }
  qsort(times, (size_t)count, sizeof *times, compare);
  if (is_first) printf("%.3f\n", times[count / 2] / 2 * 1e6);
  free(times);
}

static void measure_throughput(void* to, void* from, size_t size, long count, int is_first) {
  if (is_first) {
    for (long i = 0; i <= count; ++i) send_one(to, size, (int)i);
    receive_one(from);
    return;
  }
  receive_one(from);
  const double begin = seconds();
  for (long i = 0; i < count; ++i) receive_one(from);
  printf("%.3f\n", (double)count / (seconds() - begin));
  fflush(stdout);
  send_one(to, 1, 0);
}

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const int on = 1;
  const int linger = 1000;
  char subscription[8];
  const pid_t child = fork();
  void* context = zmq_ctx_new();
  void* to = zmq_socket(context, ZMQ_XPUB);
  void* from = zmq_socket(context, ZMQ_SUB);
  zmq_setsockopt(to, ZMQ_XPUB_NODROP, &on, sizeof on);
  zmq_setsockopt(to, ZMQ_LINGER, &linger, sizeof linger);
  if (zmq_bind(to, argv[child != 0 ? 2 : 3]) != 0 || zmq_connect(from, argv[child != 0 ? 3 : 2]) != 0) return 1;
  zmq_setsockopt(from, ZMQ_SUBSCRIBE, "", 0);
  if (zmq_recv(to, subscription, sizeof subscription, 0) < 0) return 1;
  const size_t size = strtoul(argv[4], NULL, 10);
  (strcmp(argv[1], "latency") == 0 ? measure_latency : measure_throughput)(to, from, size, atol(argv[5]), child != 0);
  zmq_close(to);
  zmq_close(from);
  zmq_ctx_term(context);
  if (child != 0) waitpid(child, NULL, 0);
  return 0;
}
