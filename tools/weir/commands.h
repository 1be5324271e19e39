// The commands: what each can be told, and the function that does it. command_line.cc gives these options their names.
//
// Each run() says what went wrong by itself and returns the exit code for it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tools/weir/receiving.h"
#include "tools/weir/session.h"

namespace weir::tool {

struct ListOptions {
  std::string backend = "shm";
  bool peers = false;
};
ExitCode run(Session& session, const ListOptions& options);

struct TopOptions {
  std::string backend = "shm";
  double interval = 1;      // seconds between two looks
  std::uint64_t count = 0;  // tables; 0: no end
  bool peers = false;
  std::string sort = "bytes";
};
ExitCode run(Session& session, const TopOptions& options);

struct InfoOptions {
  std::string topic;
};
ExitCode run(Session& session, const InfoOptions& options);

struct EchoOptions {
  Listening listening;
  bool text = false;
  bool hex = false;
  bool raw = false;
  std::string descriptor;  // a file that describes Protobuf messages; empty: none
  std::string message;     // which of them; empty: the only one
};
ExitCode run(Session& session, const EchoOptions& options);

struct PubOptions {
  std::string topic;
  std::vector<std::string> messages;
  std::string file;         // the whole of it is a message; empty: none
  std::string lines = "-";  // a file whose lines are the messages; "-": the standard input
  std::uint64_t chunk = 0;  // bytes of each message of `lines`
  double rate = 0;          // messages a second; 0: as fast as can be
  std::uint64_t count = 0;  // in all, going round; 0: each once
  std::uint64_t wait_for = 0;
  double patience = 0;  // seconds that it waits for subscribers; 0: for ever
};
ExitCode run(Session& session, const PubOptions& options);

struct MeasuringOptions {
  Listening listening;
  double interval = 1;  // seconds between lines
};
struct HzOptions : MeasuringOptions {};
struct BwOptions : MeasuringOptions {};
ExitCode run(Session& session, const HzOptions& options);
ExitCode run(Session& session, const BwOptions& options);

struct RecordOptions {
  std::vector<std::string> topics;
  std::string file;
  bool append = false;
  Listening listening;  // but for its topic
};
ExitCode run(Session& session, const RecordOptions& options);

struct ReplayOptions {
  std::string file;
  std::string to;       // the one topic, elsewhere; empty: the topics as they were recorded
  std::string options;  // of the publishers, as in an endpoint
  double speed = 1;
  double from = 0;  // seconds behind the first message
  bool fast = false;
  bool describe = false;
  std::uint64_t wait_for = 0;
};
ExitCode run(Session& session, const ReplayOptions& options);

struct BridgeOptions {
  std::vector<std::pair<std::string, std::string>> routes;  // from, to
  bool drops_when_full = false;
  double interval = 0;  // seconds between reports; 0: one at the end
};
ExitCode run(Session& session, const BridgeOptions& options);

struct BenchOptions {
  std::string backend = "shm";
  double seconds = 4;  // for all measurements together
};
ExitCode run(Session& session, const BenchOptions& options);

// The other process of a bench: endpoints with their options.
struct BenchAnswerOptions {
  std::string there;
  std::string back;
};
ExitCode run(Session& session, const BenchAnswerOptions& options);

struct RemoveOptions {
  std::string topic;
};
ExitCode run(Session& session, const RemoveOptions& options);

struct CleanOptions {
  std::string backend = "shm";
  bool dry_run = false;
};
ExitCode run(Session& session, const CleanOptions& options);

struct DoctorOptions {
  std::string backend = "shm";
};
ExitCode run(Session& session, const DoctorOptions& options);

}  // namespace weir::tool
