// mq://topic?root=DIR: a transport over POSIX message queues (mq_overview(7)), small on purpose.
//
// Each subscriber has one queue of 10 messages, as many as an ordinary user may ask for. Its own thread empties it into
// a deque for each publisher, which applies depth and policy. What does not fit into a message is a file that the
// message names. Who is on a topic is seen by files in a directory, one locked file for each subscriber.
//
// What it cannot do it does not promise: no lossless subscribers, no history, no events, no types.
#pragma once

#include <memory>

#include "transport/backend.h"

namespace mqueue {

[[nodiscard]] std::shared_ptr<weir::spi::Backend> make_backend();

}  // namespace mqueue
