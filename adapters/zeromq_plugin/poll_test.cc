// zmq_poll and zmq_proxy over a libzmq that does not call its own functions through those of the plug-in, as one that
// was linked with -Bsymbolic-functions.
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "adapters/zeromq_plugin/libzmq.h"
#include "adapters/zeromq_plugin/test_sockets.h"

namespace weir::zmq_plugin {
namespace {

using zmq::socket_type;

// In place of such a libzmq's zmq_poll, which would wait for ever on what it does not see, one that ends the test.
class Polls : public Sockets {
 public:
  Polls(const Polls&) = delete;
  Polls& operator=(const Polls&) = delete;
  ~Polls() override { internal::found_libzmq = &native_; }

 protected:
  Polls() {
    table_.poll = [](zmq_pollitem_t*, int, long) -> int { std::abort(); };
    internal::found_libzmq = &table_;
  }

 private:
  const Libzmq& native_ = libzmq();
  Libzmq table_ = native_;
};

TEST_F(Polls, EndWhenAMessageComesAndWhenThereIsRoom) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  zmq_pollitem_t item{subscriber.handle(), 0, ZMQ_POLLIN, 0};
  for (int round = 0; round < 100; ++round) {
    std::jthread sender([&] { send(publisher, "text"); });
    ASSERT_EQ(zmq_poll(&item, 1, -1), 1);
    ASSERT_EQ(item.revents, ZMQ_POLLIN);
    ASSERT_EQ(receive(subscriber), "text");
  }
  EXPECT_EQ(zmq_poll(&item, 1, 20), 0);
  EXPECT_EQ(item.revents, 0);
  zmq_pollitem_t room{publisher.handle(), 0, ZMQ_POLLIN | ZMQ_POLLOUT, 0};
  EXPECT_EQ(zmq_poll(&room, 1, -1), 1);
  EXPECT_EQ(room.revents, ZMQ_POLLOUT);
}

TEST_F(Polls, TellOfManyFilesAndConnectionsBesides) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  zmq::socket_t one = bound(socket_type::pair, "inproc://pair");
  zmq::socket_t two = connected(socket_type::pair, "inproc://pair");
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  std::vector<zmq_pollitem_t> items(40, {nullptr, pipe[0], ZMQ_POLLIN | ZMQ_POLLOUT, 0});
  items.push_back({nullptr, pipe[1], ZMQ_POLLIN | ZMQ_POLLOUT, 0});
  items.push_back({two.handle(), 0, ZMQ_POLLIN, 0});
  items.push_back({subscriber.handle(), 0, ZMQ_POLLIN, 0});
  const auto poll = [&] { return zmq_poll(items.data(), static_cast<int>(items.size()), -1); };
  EXPECT_EQ(poll(), 1);
  EXPECT_EQ(items[40].revents, ZMQ_POLLOUT);
  EXPECT_EQ(::write(pipe[1], "x", 1), 1);
  send(one, "text");
  send(publisher, "text");
  while (poll() < 43) {  // libzmq's own come a little later
  }
  EXPECT_EQ(items[0].revents, ZMQ_POLLIN);
  EXPECT_EQ(items[41].revents, ZMQ_POLLIN);
  EXPECT_EQ(items[42].revents, ZMQ_POLLIN);
  ::close(pipe[1]);
  items[40].fd = pipe[0];
  EXPECT_EQ(poll(), 43);
  EXPECT_EQ(items[0].revents, ZMQ_POLLIN | ZMQ_POLLERR) << "nobody can write to it any more";
  ::close(pipe[0]);
}

TEST_F(Polls, AProxyForwards) {
  zmq::socket_t publisher = bound(socket_type::xpub, shm("in"));
  zmq::socket_t controller = bound(socket_type::pair, "inproc://control");
  std::jthread proxy([this] {
    zmq::socket_t frontend = connected(socket_type::xsub, shm("in"));
    zmq::socket_t backend = bound(socket_type::xpub, shm("out"));
    zmq::socket_t control = connected(socket_type::pair, "inproc://control");
    EXPECT_EQ(zmq_proxy_steerable(frontend.handle(), backend.handle(), nullptr, control.handle()), 0);
  });
  zmq::socket_t subscriber = this->subscriber(shm("out"));
  EXPECT_EQ(receive(publisher), subscription("")) << "through the proxy";
  send(publisher, "text");
  EXPECT_EQ(receive(subscriber), "text");
  send(controller, "TERMINATE");
}

}  // namespace
}  // namespace weir::zmq_plugin
