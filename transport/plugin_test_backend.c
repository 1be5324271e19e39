#include "transport/plugin_test_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char nothing_calls[4096];

struct weir_backend {
  int ports;
};

struct weir_port {
  struct weir_backend* backend;
  char payload[64];
};

struct weir_stop {
  int triggered;
};

static void note(const char* text) {
  const size_t used = strlen(nothing_calls);
  (void)snprintf(nothing_calls + used, sizeof nothing_calls - used, "%s\n", text);
}

static int32_t refuse(struct weir_text* error, int32_t code, const char* text) {
  (void)snprintf(error->data, (size_t)error->capacity, "%s", text);
  return code;
}

static int32_t nothing_open(weir_backend** backend, struct weir_text* error) {
  struct weir_backend* made = calloc(1, sizeof *made);
  if (made == NULL) return refuse(error, WEIR_RESOURCE_EXHAUSTED, "no memory");
  *backend = made;
  return WEIR_OK;
}

static void nothing_release_backend(weir_backend* backend) {
  note(backend->ports == 0 ? "release_backend" : "release_backend with ports");
  free(backend);
}

static const char* nothing_scheme(const weir_backend* backend, uint64_t index) {
  (void)backend;
  return index == 0 ? "nothing" : NULL;
}

static const char* nothing_option_key(const weir_backend* backend, uint64_t index) {
  (void)backend;
  return index == 0 ? "color" : NULL;
}

static int32_t nothing_capability(const weir_backend* backend, const struct weir_endpoint* endpoint, uint64_t index,
                                  struct weir_value* value) {
  static const char* const keys[] = {"sequence", "drop_oldest", "max_depth", "a_promise_of_the_future"};
  (void)backend;
  (void)endpoint;
  if (index >= sizeof keys / sizeof keys[0]) return 0;
  value->key = keys[index];
  value->type = WEIR_NUMBER;
  value->number = index == 2 ? 8 : 1;
  return 1;
}

static int32_t join(weir_backend* backend, const struct weir_endpoint* endpoint, const struct weir_values* settings,
                    weir_port** port, struct weir_text* error) {
  char line[256];
  uint64_t at = 0;
  if (strcmp(endpoint->topic, "refused") == 0) {
    return refuse(error, WEIR_INCOMPATIBLE, "topic \"refused\": it is always refused: take another");
  }
  if (strcmp(endpoint->topic, "odd") == 0) return 4711;
  (void)snprintf(line, sizeof line, "join %s://%s", endpoint->scheme, endpoint->topic);
  note(line);
  for (at = 0; at < settings->count; ++at) {
    const struct weir_value* value = settings->items[at];
    if (value->type == WEIR_WORD) {
      (void)snprintf(line, sizeof line, "  %s=\"%s\"", value->key, value->word);
    } else {
      (void)snprintf(line, sizeof line, "  %s=%llu", value->key, (unsigned long long)value->number);
    }
    note(line);
  }
  struct weir_port* made = calloc(1, sizeof *made);
  if (made == NULL) return refuse(error, WEIR_RESOURCE_EXHAUSTED, "no memory");
  made->backend = backend;
  ++backend->ports;
  *port = made;
  return WEIR_OK;
}

static void nothing_close(weir_port* port) {
  (void)port;
  note("close");
}

static void nothing_release_port(weir_port* port) {
  --port->backend->ports;
  note("release_port");
  free(port);
}

static uint64_t nothing_id(const weir_port* port) {
  (void)port;
  return 7;
}

static int32_t nothing_wait(weir_port* port, int64_t deadline, weir_stop* stop, int32_t* wake,
                            struct weir_text* error) {
  (void)port;
  (void)error;
  *wake = stop != NULL && stop->triggered ? WEIR_WAKE_INTERRUPTED
          : deadline == WEIR_NEVER        ? WEIR_WAKE_READY
                                          : WEIR_WAKE_DEADLINE;
  return WEIR_OK;
}

static int32_t nothing_descriptor(weir_port* port, int32_t* descriptor, struct weir_text* error) {
  (void)port;
  (void)descriptor;
  return refuse(error, WEIR_RESOURCE_EXHAUSTED, "descriptors have run out: close some");
}

static int32_t nothing_loan(weir_port* port, struct weir_loan* loan, struct weir_text* error) {
  if (loan->size > sizeof port->payload) return refuse(error, WEIR_LIMIT_EXCEEDED, "64 bytes are all there is");
  loan->payload = port->payload;
  loan->header = NULL;
  loan->token = 3;
  return WEIR_OK;
}

static int32_t nothing_publish(weir_port* port, struct weir_loan* loan, const int64_t* deadline, uint64_t* sequence,
                               struct weir_text* error) {
  (void)port;
  if (deadline != NULL && *deadline == WEIR_AT_ONCE) return refuse(error, WEIR_BACK_PRESSURE, "held back");
  *sequence = loan->token + loan->size;
  return WEIR_OK;
}

static void nothing_drop(weir_port* port, struct weir_loan* loan) {
  (void)port;
  note(loan->token == 3 ? "drop" : "drop of another");
}

static int32_t nothing_take(weir_port* port, struct weir_sample* sample, int32_t* taken, struct weir_text* error) {
  (void)error;
  sample->payload = port->payload;
  sample->size = 5;
  sample->publisher = 9;
  sample->sequence = 11;
  sample->lost_before = 2;
  sample->time = 123;
  sample->token = 4;
  *taken = 1;
  return WEIR_OK;
}

static void nothing_release(weir_port* port, struct weir_sample* sample) {
  (void)port;
  note(sample->token == 4 ? "release" : "release of another");
}

static int32_t nothing_make_stop(weir_stop** stop, struct weir_text* error) {
  struct weir_stop* made = calloc(1, sizeof *made);
  if (made == NULL) return refuse(error, WEIR_RESOURCE_EXHAUSTED, "no memory");
  *stop = made;
  return WEIR_OK;
}

static void nothing_trigger_stop(weir_stop* stop) { stop->triggered = 1; }

static void nothing_release_stop(weir_stop* stop) { free(stop); }

const struct weir_plugin* nothing_plugin(void) {
  static const struct weir_plugin table = {
      .struct_size = sizeof(struct weir_plugin),
      .major = WEIR_PLUGIN_MAJOR,
      .minor = WEIR_PLUGIN_MINOR,
      .name = "nothing",
      .open = nothing_open,
      .release_backend = nothing_release_backend,
      .scheme = nothing_scheme,
      .option_key = nothing_option_key,
      .capability = nothing_capability,
      .open_publisher = join,
      .open_subscriber = join,
      .close = nothing_close,
      .release_port = nothing_release_port,
      .id = nothing_id,
      .wait = nothing_wait,
      .descriptor = nothing_descriptor,
      .loan = nothing_loan,
      .publish = nothing_publish,
      .drop = nothing_drop,
      .take = nothing_take,
      .release = nothing_release,
      .make_stop = nothing_make_stop,
      .trigger_stop = nothing_trigger_stop,
      .release_stop = nothing_release_stop,
  };
  return &table;
}
