/* A plug-in in C that does nothing: to see what the host makes of a table. */
#ifndef WEIR_TRANSPORT_PLUGIN_TEST_BACKEND_H
#define WEIR_TRANSPORT_PLUGIN_TEST_BACKEND_H

#include "transport/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Its scheme is "nothing", its own option "color"; it promises sequences and a depth of 8. Its ports write all that
 * they are called with, one call a line, into nothing_calls. */
const struct weir_plugin* nothing_plugin(void);

extern char nothing_calls[4096];

#ifdef __cplusplus
}
#endif

#endif
