/* A ZeroMQ program that is killed, and one that sees others being killed; it knows nothing of weir.
 *
 *   killed_peer publish ENDPOINT TAG COUNT SAY     binds, sends COUNT messages (0: without end), then "end"; prints
 *                                                  "sent" after SAY of them; closes when its input ends
 *   killed_peer subscribe ENDPOINT SAY first|late  prints "ready", "got" after SAY messages, and "TAG COUNT" when the
 *                                                  messages of a tag end; ends with the tag "last"
 *
 * Message i is its tag, a space and i, and is filled up to 40,000 bytes if i is divisible by 3. A subscriber expects
 * the messages of each tag to begin with 0 and to have no gap; one that is late, those of the first tag to begin
 * anywhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

enum { large = 40000 };

static int fail(const char* what) {
  fprintf(stderr, "killed_peer: %s: %s\n", what, zmq_strerror(zmq_errno()));
  return 1;
}

static void say(const char* line) {
  puts(line);
  fflush(stdout);
}

static int publish(void* socket, const char* tag, long count, long told) {
  for (long i = 0; count == 0 || i < count; ++i) {
    zmq_msg_t message;
    char text[64];
    const int length = snprintf(text, sizeof text, "%s %ld", tag, i);
    const size_t size = i % 3 == 0 ? large : (size_t)length + 1;
    zmq_msg_init_size(&message, size);
    memset(zmq_msg_data(&message), (int)(i % 100), size);
    memcpy(zmq_msg_data(&message), text, (size_t)length + 1);
    if (zmq_msg_send(&message, socket, 0) < 0) return fail("sending");
    if (i + 1 == told) say("sent");
  }
  char end[64];
  const int length = snprintf(end, sizeof end, "%s end", tag);
  if (zmq_send(socket, end, (size_t)length + 1, 0) < 0) return fail("sending the end");
  while (getchar() != EOF) continue;
  return 0;
}

static int subscribe(void* socket, long told, int is_late) {
  char tag[32] = "";
  long expected = 0;
  long first = 0;
  if (zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) != 0) return fail("subscribing");
  say("ready");
  for (long received = 0;; ++received) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, socket, 0) < 0) return fail("receiving");
    char from[32];
    char number[32];
    const char* bytes = zmq_msg_data(&message);
    const size_t size = zmq_msg_size(&message);
    if (sscanf(bytes, "%31s %31s", from, number) != 2) return fail("reading a message");
    if (strcmp(from, tag) != 0 || strcmp(number, "end") == 0) {
      if (tag[0] != 0 && (strcmp(from, tag) == 0 || expected != 0)) {
        printf("%s %ld\n", tag, expected - first);
        fflush(stdout);
      }
      if (strcmp(number, "end") == 0 && strcmp(from, "last") == 0) return 0;
      snprintf(tag, sizeof tag, "%s", from);
      expected = 0;
      first = 0;
    }
    if (strcmp(number, "end") != 0) {
      const long i = strtol(number, NULL, 10);
      if (is_late && received == 0) first = expected = i;
      if (i != expected++) {
        fprintf(stderr, "killed_peer: %s %ld instead of %ld\n", tag, i, expected - 1);
        return 1;
      }
      if (i % 3 == 0 && (size != large || bytes[large - 1] != (char)(i % 100))) return fail("a wrong byte");
    }
    zmq_msg_close(&message);
    if (received + 1 == told) say("got");
  }
}

int main(int argc, char** argv) {
  void* context = zmq_ctx_new();
  int result = 2;
  if (argc == 6 && strcmp(argv[1], "publish") == 0) {
    void* socket = zmq_socket(context, ZMQ_PUB);
    if (zmq_bind(socket, argv[2]) != 0) return fail(argv[2]);
    result = publish(socket, argv[3], atol(argv[4]), atol(argv[5]));
    zmq_close(socket);
  } else if (argc == 5 && strcmp(argv[1], "subscribe") == 0) {
    void* socket = zmq_socket(context, ZMQ_SUB);
    if (zmq_connect(socket, argv[2]) != 0) return fail(argv[2]);
    result = subscribe(socket, atol(argv[3]), strcmp(argv[4], "late") == 0);
    zmq_close(socket);
  }
  zmq_ctx_term(context);
  return result;
}
