/* A ZeroMQ program that measures publish and subscribe between two processes; it knows nothing of weir.
 *
 *   speed throughput|latency touched|untouched ENDPOINT ENDPOINT_BACK SIZE COUNT
 *
 * Prints messages a second, or microseconds one way.
 *
 *   touched    every byte is written, and a byte of each cache line is read and compared. The time of a way is half of
 *              the median round trip.
 *   untouched  as libzmq's own tools (perf/{local,remote}_{thr,lat}): a message is made by zmq_msg_init_size and sent
 *              as it is, one message object receives all, and a round trip sends back what was received. The time of a
 *              way is half of the mean round trip.
 *
 * Either way each message is counted and its size compared. SIZE is 2 or more. Ends with 1, and says why, if anything
 * is lost, doubled or different. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

enum { line = 64, last_size = 1 };

struct load {
  size_t size;
  long count;
  int is_touched;
  int is_first; /* the process that sends first */
};

static double seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void give_up(const char* what) {
  fprintf(stderr, "speed: %s\n", what);
  exit(1);
}

static void send_message(void* socket, zmq_msg_t* message) {
  if (zmq_msg_send(message, socket, 0) < 0) give_up(zmq_strerror(errno));
}

static void send_new(void* socket, const struct load* load, long number) {
  zmq_msg_t message;
  if (zmq_msg_init_size(&message, load->size) != 0) give_up(zmq_strerror(errno));
  if (load->is_touched) memset(zmq_msg_data(&message), (int)(number & 0xff), load->size);
  send_message(socket, &message);
  zmq_msg_close(&message);
}

static void send_last(void* socket) {
  const char content[last_size] = {0};
  if (zmq_send(socket, content, last_size, 0) < 0) give_up(zmq_strerror(errno));
}

static void receive_message(void* socket, zmq_msg_t* message, size_t size) {
  if (zmq_msg_recv(message, socket, 0) < 0) give_up(zmq_strerror(errno));
  if (zmq_msg_size(message) != size) give_up("a message of another size came: some were lost or doubled");
}

static void read_content(zmq_msg_t* message, long number) {
  const unsigned char* bytes = zmq_msg_data(message);
  const size_t size = zmq_msg_size(message);
  unsigned long sum = 0;
  for (size_t k = 0; k < size; k += line) sum += bytes[k];
  if (sum != (unsigned long)(number & 0xff) * ((size + line - 1) / line)) give_up("a message has other content");
}

/* `message` is of no content afterwards where it was read, and has its content where not: libzmq's tools keep it until
 * the next. */
static void receive(void* socket, const struct load* load, zmq_msg_t* message, long number) {
  receive_message(socket, message, load->size);
  if (!load->is_touched) return;
  read_content(message, number);
  zmq_msg_close(message);
  zmq_msg_init(message);
}

static int compare(const void* one, const void* other) {
  const double difference = *(const double*)one - *(const double*)other;
  return difference < 0 ? -1 : difference > 0;
}

static void bounce_touched(void* to, void* from, const struct load* load) {
  double* times = malloc((size_t)load->count * sizeof *times);
  if (times == NULL) give_up("no memory");
  zmq_msg_t message;
  zmq_msg_init(&message);
  for (long i = 0; i < load->count; ++i) {
    const double begin = seconds();
    if (load->is_first) send_new(to, load, i);
    receive(from, load, &message, i);
    if (!load->is_first) send_new(to, load, i);
    times[i] = seconds() - begin;
  }
  zmq_msg_close(&message);
  qsort(times, (size_t)load->count, sizeof *times, compare);
  if (load->is_first) printf("%.3f\n", times[load->count / 2] / 2 * 1e6);
  free(times);
}

static void bounce_untouched(void* to, void* from, const struct load* load) {
  zmq_msg_t message;
  zmq_msg_init(&message);
  if (load->is_first) {
    zmq_msg_close(&message);
    if (zmq_msg_init_size(&message, load->size) != 0) give_up(zmq_strerror(errno));
    memset(zmq_msg_data(&message), 0, load->size);
  }
  const double begin = seconds();
  for (long i = 0; i < load->count; ++i) {
    if (load->is_first) send_message(to, &message);
    receive_message(from, &message, load->size);
    if (!load->is_first) send_message(to, &message);
  }
  if (load->is_first) printf("%.3f\n", (seconds() - begin) / (double)load->count / 2 * 1e6);
  zmq_msg_close(&message);
}

static void measure_latency(void* to, void* from, const struct load* load) {
  (load->is_touched ? bounce_touched : bounce_untouched)(to, from, load);
}

/* The clock begins after the first message. That the last one, of another size, comes after COUNT others says that
 * nothing is missing and nothing came twice. */
static void measure_throughput(void* to, void* from, const struct load* load) {
  zmq_msg_t message;
  zmq_msg_init(&message);
  if (load->is_first) {
    for (long i = 0; i <= load->count; ++i) send_new(to, load, i);
    send_last(to);
    receive_message(from, &message, last_size);
  } else {
    receive(from, load, &message, 0);
    const double begin = seconds();
    for (long i = 1; i <= load->count; ++i) receive(from, load, &message, i);
    const double time = seconds() - begin;
    receive_message(from, &message, last_size);
    printf("%.3f\n", (double)load->count / time);
    fflush(stdout);
    send_last(to);
  }
  zmq_msg_close(&message);
}

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  const int on = 1;
  const int linger = 1000;
  const int watchdog = 120000;
  char subscription[8];
  const pid_t child = fork();
  void* context = zmq_ctx_new();
  void* to = zmq_socket(context, ZMQ_XPUB);
  void* from = zmq_socket(context, ZMQ_SUB);
  zmq_setsockopt(to, ZMQ_XPUB_NODROP, &on, sizeof on);
  zmq_setsockopt(to, ZMQ_LINGER, &linger, sizeof linger);
  zmq_setsockopt(to, ZMQ_SNDTIMEO, &watchdog, sizeof watchdog);
  zmq_setsockopt(to, ZMQ_RCVTIMEO, &watchdog, sizeof watchdog);
  zmq_setsockopt(from, ZMQ_RCVTIMEO, &watchdog, sizeof watchdog);
  if (zmq_bind(to, argv[child != 0 ? 3 : 4]) != 0 || zmq_connect(from, argv[child != 0 ? 4 : 3]) != 0) {
    give_up(zmq_strerror(errno));
  }
  zmq_setsockopt(from, ZMQ_SUBSCRIBE, "", 0);
  if (zmq_recv(to, subscription, sizeof subscription, 0) < 0) give_up(zmq_strerror(errno));
  const struct load load = {.size = strtoul(argv[5], NULL, 10),
                            .count = atol(argv[6]),
                            .is_touched = strcmp(argv[2], "touched") == 0,
                            .is_first = child != 0};
  (strcmp(argv[1], "latency") == 0 ? measure_latency : measure_throughput)(to, from, &load);
  zmq_close(to);
  zmq_close(from);
  zmq_ctx_term(context);
  int status = 0;
  if (child != 0) waitpid(child, &status, 0);
  return status == 0 ? 0 : 1;
}
