// CURVE: who has the right keys gets through, who has not gets nothing.
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <zmq.hpp>

#include "adapters/zeromq/test_support.h"

namespace weir::zeromq {
namespace {

using namespace testing_support;

class Curve : public ::testing::Test {
 protected:
  // Certificates as pyzmq itself writes them.
  void SetUp() override {
    Program maker({"/usr/bin/python3", "-c",
                   "import sys, zmq.auth\n"
                   "for name in ('server', 'client', 'other'): zmq.auth.create_certificates(sys.argv[1], name)\n",
                   directory_.path()});
    ASSERT_EQ(maker.wait(), "");
  }
  [[nodiscard]] std::string secret(const std::string& name) const { return directory_.path(name + ".key_secret"); }
  [[nodiscard]] std::string open(const std::string& name) const { return directory_.path(name + ".key"); }

  const ShortDirectory directory_;
  const std::string feed_ = "zmq+" + directory_.ipc("feed");
  Node node_ = must(Node::open());
};

TEST_F(Curve, TheRightKeysGetThroughAndTheWrongOnesNever) {
  Publisher publisher = must(node_.publisher(feed_ + "?curve=" + secret("server")));
  Subscriber wrong = must(node_.subscriber(feed_ + "?curve=" + secret("client") + "&curve_server=" + open("other")));
  Subscriber plain = must(node_.subscriber(feed_));
  Subscriber right = must(node_.subscriber(feed_ + "?curve=" + secret("client") + "&curve_server=" + open("server")));
  must(publisher.wait_for_subscribers(1, soon()));
  EXPECT_TRUE(fails(publisher.wait_for_subscribers(2, after(std::chrono::milliseconds(500))), ErrorCode::timed_out));
  must(publisher.send(bytes("secret")));
  EXPECT_EQ(text(next(right).payload()), "secret");
  for (Subscriber* refused : {&wrong, &plain}) EXPECT_FALSE(must(refused->take()));
}

TEST_F(Curve, ANativePeerWithTheRightKeysGetsThroughAndOneWithTheWrongOnesDoesNot) {
  Publisher publisher = must(node_.publisher(feed_ + "?curve=" + secret("server")));
  const std::string native =
      "import sys, zmq, zmq.auth\n"
      "socket = zmq.Context().socket(zmq.SUB)\n"
      "socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(sys.argv[2])\n"
      "socket.curve_serverkey, _ = zmq.auth.load_certificate(sys.argv[3])\n"
      "socket.connect(sys.argv[1])\n"
      "socket.subscribe(b'')\n"
      "assert socket.recv() == b'secret'\n";
  Program wrong({"/usr/bin/python3", "-c", native, directory_.ipc("feed"), secret("client"), open("other")});
  Program right({"/usr/bin/python3", "-c", native, directory_.ipc("feed"), secret("client"), open("server")});
  must(publisher.wait_for_subscribers(1, soon()));
  must(publisher.send(bytes("secret")));
  EXPECT_EQ(right.wait(), "");
  // The end of the right one becomes known a moment later; if the other one had got in, it would stay.
  const Deadline watchdog = soon();
  bool all_gone = false;
  while (!all_gone && !passed(watchdog)) all_gone = !publisher.wait_for_subscribers(1, at_once);
  EXPECT_TRUE(all_gone) << "the other one got in";
  wrong.kill();
  EXPECT_EQ(wrong.wait(), "killed by signal 9") << "it must have been waiting still";
}

TEST_F(Curve, KeyFilesThatAreNoneAreRefused) {
  EXPECT_TRUE(
      fails(node_.publisher(feed_ + "?curve=" + directory_.path("missing")), ErrorCode::not_found, {"missing"}));
  EXPECT_TRUE(fails(node_.publisher(feed_ + "?curve=" + open("server")), ErrorCode::invalid_argument, {"secret"}));
  std::ofstream(directory_.path("nonsense")) << "public-key = \"x\"\n";
  EXPECT_TRUE(
      fails(node_.subscriber(feed_ + "?curve=" + secret("client") + "&curve_server=" + directory_.path("nonsense")),
            ErrorCode::invalid_argument, {"nonsense"}));
  EXPECT_TRUE(fails(node_.publisher("zmq+inproc://x?curve=" + secret("server")), ErrorCode::invalid_argument));
}

}  // namespace
}  // namespace weir::zeromq
