// A process that has no descriptor left: every call is done in full or refused, as if it had not been made.
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>
#include <utility>

#include "adapters/zeromq_plugin/test_sockets.h"
#include "transport/shm/test_processes.h"

namespace weir::zmq_plugin {
namespace {

using shm::testing::DescriptorLimit;
using zmq::socket_type;

class ScarceDescriptors : public Sockets {
 protected:
  // Calls with 0, 1, 2, … descriptors left until it is not refused, and `refused` after each time that it was. How
  // often it was.
  template <class Call, class Refused>
  static int with_ever_more(const Call& call, const Refused& refused) {
    constexpr int plenty = 64;
    for (int left = 0; left < plenty; ++left) {
      SCOPED_TRACE(left);
      int error = 0;
      {
        const DescriptorLimit limit(left);
        error = error_of(call);
      }
      if (error == 0) return left;
      EXPECT_EQ(error, EMFILE);
      refused();
      if (HasFailure()) return left;
    }
    ADD_FAILURE() << "it was refused to the last";
    return plenty;
  }
  [[nodiscard]] bool exists(const std::string& topic) const {
    return access(directory_.path("root/v1/" + topic).c_str(), F_OK) == 0;
  }
};

TEST_F(ScarceDescriptors, BindingIsDoneInFullOrLeavesTheNameFree) {
  for (const socket_type type : {socket_type::pub, socket_type::xpub, socket_type::sub}) {
    zmq::socket_t socket = make(type);
    if (type == socket_type::sub) socket.set(zmq::sockopt::subscribe, "");
    const auto refused = [&] {
      EXPECT_EQ(error_of([&] { socket.unbind(shm()); }), ENOENT);
      bound(socket_type::xpub, shm()).unbind(shm());
      EXPECT_FALSE(exists("feed") || exists("feed.subscriptions"));
    };
    EXPECT_GE(with_ever_more([&] { socket.bind(shm()); }, refused), 3);
    zmq::socket_t peer = type == socket_type::sub ? connected(socket_type::pub, shm()) : subscriber(shm());
    zmq::socket_t& publisher = type == socket_type::sub ? peer : socket;
    zmq::socket_t& receiver = type == socket_type::sub ? socket : peer;
    if (type == socket_type::xpub) {
      EXPECT_EQ(receive(publisher), subscription(""));
    }
    send(publisher, "text");
    EXPECT_EQ(receive(receiver), "text");
  }
}

TEST_F(ScarceDescriptors, ASubscriptionIsMadeAtAllPlacesOrIsTakenBack) {
  zmq::socket_t one = bound(socket_type::xpub, shm("one"));
  zmq::socket_t two = bound(socket_type::xpub, shm("two"));
  zmq::socket_t native = bound(socket_type::xpub, "inproc://native");
  zmq::socket_t subscriber = this->subscriber(shm("one"), {});
  subscriber.connect(shm("two"));
  subscriber.connect("inproc://native");
  // Who has heard of the subscription hears that it was taken back.
  const auto refused = [&] {
    for (zmq::socket_t* const publisher : {&one, &two, &native}) {
      std::string heard = receive(*publisher, zmq::recv_flags::dontwait);
      if (publisher == &native) heard = heard.empty() ? receive(native) : heard;  // on libzmq's own time
      if (heard.empty()) continue;
      EXPECT_EQ(heard, subscription("a"));
      EXPECT_EQ(receive(*publisher), unsubscription("a"));
    }
    send(one, "a: nobody wants it");
    EXPECT_TRUE(has_nothing(subscriber));
  };
  EXPECT_GE(with_ever_more([&] { subscriber.set(zmq::sockopt::subscribe, "a"); }, refused), 3);
  for (zmq::socket_t* const publisher : {&one, &two, &native}) {
    EXPECT_EQ(receive(*publisher), subscription("a"));
    send(*publisher, "a: text");
    EXPECT_EQ(receive(subscriber), "a: text");
  }
  subscriber.set(zmq::sockopt::unsubscribe, "a");
  for (zmq::socket_t* const publisher : {&one, &two, &native}) EXPECT_EQ(receive(*publisher), unsubscription("a"));
  send(one, "a: nobody wants it");
  EXPECT_TRUE(has_nothing(subscriber)) << "what was refused counted";
}

TEST_F(ScarceDescriptors, APublisherLosesNothingAtAllOfItsPlacesOrAtNone) {
  zmq::socket_t publisher = make(socket_type::pub);
  publisher.set(zmq::sockopt::sndhwm, 5);
  publisher.set(zmq::sockopt::rcvhwm, 5);
  publisher.bind(shm("one"));
  publisher.bind(shm("two"));
  zmq::socket_t at_one = subscriber(shm("one"));
  zmq::socket_t at_two = subscriber(shm("two"));
  const auto refused = [&] {
    for (int number = 0; number < 20; ++number) {
      EXPECT_TRUE(publisher.send(zmq::buffer(std::to_string(number)), zmq::send_flags::dontwait)) << "it holds back";
    }
    for (zmq::socket_t* const subscriber : {&at_one, &at_two}) {
      for (int number = 10; number < 20; ++number) EXPECT_EQ(receive(*subscriber), std::to_string(number));
      EXPECT_TRUE(has_nothing(*subscriber));
    }
  };
  EXPECT_GE(with_ever_more([&] { publisher.set(zmq::sockopt::xpub_nodrop, true); }, refused), 3);
  int sent = 0;
  while (publisher.send(zmq::buffer(std::to_string(sent)), zmq::send_flags::dontwait)) ++sent;
  EXPECT_EQ(sent, 10);
  for (zmq::socket_t* const subscriber : {&at_one, &at_two}) {
    for (int number = 0; number < sent; ++number) EXPECT_EQ(receive(*subscriber), std::to_string(number));
    EXPECT_TRUE(has_nothing(*subscriber));
  }
}

TEST_F(ScarceDescriptors, AReceiveWaitsWithoutOne) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  const DescriptorLimit none(0);
  subscriber.set(zmq::sockopt::rcvtimeo, 20);
  zmq::message_t message;
  EXPECT_FALSE(subscriber.recv(message)) << "EAGAIN, and not an error of its own";
  subscriber.set(zmq::sockopt::rcvtimeo, static_cast<int>(soon.count()));
  for (int round = 0; round < 20; ++round) {
    std::string received;
    std::jthread receiver([&] { received = receive(subscriber); });
    send(publisher, "text");
    receiver.join();
    EXPECT_EQ(received, "text");
  }
}

TEST_F(ScarceDescriptors, TheDescriptorToWaitOnIsThereLater) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  int descriptor = -1;
  const auto refused = [&] {
    send(publisher, "meanwhile");
    EXPECT_EQ(receive(subscriber, zmq::recv_flags::dontwait), "meanwhile");
  };
  EXPECT_GE(with_ever_more([&] { descriptor = subscriber.get(zmq::sockopt::fd); }, refused), 3);
  zmq_pollitem_t item{nullptr, descriptor, ZMQ_POLLIN, 0};
  static_cast<void>(subscriber.get(zmq::sockopt::events));
  send(publisher, "text");
  EXPECT_EQ(zmq_poll(&item, 1, soon.count()), 1);
  EXPECT_EQ(receive(subscriber), "text");
}

}  // namespace
}  // namespace weir::zmq_plugin
