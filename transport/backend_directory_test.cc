// Plug-ins that a URI brings in: this program is linked with no backend at all.
#include "transport/backend_directory.h"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/node.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

class BackendDirectory : public ::testing::Test {
 public:
  BackendDirectory(const BackendDirectory&) = delete;
  BackendDirectory& operator=(const BackendDirectory&) = delete;
  ~BackendDirectory() override { std::filesystem::remove_all(directory_); }

 protected:
  BackendDirectory() {
    std::filesystem::create_directory(directory_);
    setenv("WEIR_BACKENDS", directory_.c_str(), 1);
  }

  void add_inproc() const {
    std::filesystem::create_symlink(std::filesystem::absolute("transport/inproc/libweir_inproc.so"),
                                    directory_ / "inproc.so");
  }

  const std::filesystem::path directory_ =  // NOLINT: for the bodies of the tests
      std::filesystem::path(::testing::TempDir()) / "backends";
  Node node_ = *Node::open();  // NOLINT
};

// First, while no test has brought the plug-in in: it stays.
TEST_F(BackendDirectory, FileThatCannotBeLoadedIsAnErrorThatSaysWhyAndIsTriedAgain) {
  std::ofstream(directory_ / "inproc.so") << "not a library";
  const auto refused = node_.publisher("inproc://topic");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr((directory_ / "inproc.so").string()));
  std::filesystem::remove(directory_ / "inproc.so");
  EXPECT_EQ(node_.publisher("inproc://topic").error().code(), ErrorCode::not_found);
  add_inproc();
  EXPECT_TRUE(node_.publisher("inproc://topic"));
}

TEST_F(BackendDirectory, UriBringsThePlugInOfItsSchemeInForAllNodes) {
  add_inproc();
  auto publisher = node_.publisher("inproc://topic");
  ASSERT_TRUE(publisher) << publisher.error().message();
  auto subscriber = Node::open()->subscriber("inproc://topic");
  ASSERT_TRUE(subscriber) << subscriber.error().message();
  constexpr std::array<std::byte, 3> bytes{};
  ASSERT_TRUE(publisher->send(bytes));
  const auto sample = subscriber->take();
  ASSERT_TRUE(sample && *sample);
  EXPECT_EQ(sample->payload().size(), bytes.size());
}

TEST_F(BackendDirectory, SchemeThatThePlugInOfThatNameDoesNotServeIsNotFound) {
  add_inproc();
  EXPECT_EQ(node_.publisher("inproc+other://topic").error().code(), ErrorCode::not_found);
  EXPECT_EQ(node_.publisher("nobody://topic").error().code(), ErrorCode::not_found);
}

TEST_F(BackendDirectory, ThreadsThatAskAtOnceGetOneBackend) {
  add_inproc();
  std::vector<spi::Backend*> found(8);
  const Endpoint endpoint = *Endpoint::parse("inproc://topic");
  {
    std::vector<std::jthread> threads;
    for (spi::Backend*& mine : found) {
      threads.emplace_back([&mine, &endpoint] { mine = spi::find_in_backend_directory(endpoint).value_or(nullptr); });
    }
  }
  EXPECT_NE(found.front(), nullptr);
  EXPECT_THAT(found, ::testing::Each(found.front()));
}

}  // namespace
}  // namespace weir
