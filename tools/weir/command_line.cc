// The one file that knows CLI11, which takes long to compile.
#include "tools/weir/command_line.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/weir/commands.h"

namespace weir::tool {
namespace {

constexpr const char* footer =
    "A topic is a word such as camera/front, which means shm://camera/front, or the endpoint of any backend, with its "
    "options: 'shm://camera?depth=8', iceoryx://Radar/Front/Object, zmq+tcp://host:5555.\n"
    "Exit codes: 0 done; 1 failed; 2 wrong arguments; 3 not found; 4 the backend cannot; 5 not allowed; 6 memory, disk "
    "or a limit; 7 time is up; 8 corrupt.";
constexpr const char* any_topic = "a topic of shm, or the endpoint of any backend";
constexpr const char* any_root = "a root, such as shm://?root=/run/robot (default: shm)";

class Parser {
 public:
  Parser() : program_("Messages between processes, from the command line.", "weir") {
    program_.require_subcommand(1);
    program_.fallthrough();  // so that --json may stand anywhere; subcommands inherit it
    program_.footer(footer);
  }

  // A subcommand, and where its options go; valid as long as this object.
  template <class Options>
  std::pair<CLI::App&, Options&> add(const char* name, const char* text) {
    CLI::App* command = program_.add_subcommand(name, text);
    auto options = std::make_shared<Options>();
    command->callback(
        [this, options] { request_.action = [options](Session& session) { return run(session, *options); }; });
    return {*command, *options};
  }

  Result<Request> parse(int count, const char* const* arguments, Console& console) {
    program_
        .add_flag_callback(
            "--json", [&console] { console.use_json(); }, "results as JSON, one document a line")
        ->trigger_on_parse();
    try {
      program_.parse(count, arguments);
    } catch (const CLI::CallForHelp&) {
      request_ = {.action = {}, .help = program_.help()};
    } catch (const CLI::RequiredError& error) {
      const std::vector<std::string> unknown = program_.remaining();
      return failure(ErrorCode::invalid_argument,
                     unknown.empty() ? fmt::format("{}. See weir --help, or --help after a command", error.what())
                                     : fmt::format("there is no command \"{}\": see weir --help", unknown.front()));
    } catch (const CLI::ParseError& error) {
      return failure(ErrorCode::invalid_argument,
                     fmt::format("{}. See weir --help, or --help after a command", error.what()));
    }
    return std::move(request_);
  }

 private:
  CLI::App program_;
  Request request_;
};

void add_end(CLI::App& command, Listening& listening) {
  command.add_option("-n,--count", listening.count, "end after so many messages")->check(CLI::PositiveNumber);
  command.add_option("-t,--time", listening.seconds, "end after so many seconds")->check(CLI::PositiveNumber);
  command.add_flag("-w,--wait", listening.wait, "wait for a topic that nobody has made yet");
}

void add_listening(CLI::App& command, Listening& listening) {
  command.add_option("topic", listening.topic, any_topic)->required();
  add_end(command, listening);
}

void add_interval(CLI::App& command, double& interval) {
  command.add_option("-i,--interval", interval, "seconds from one to the next (default: 1)")
      ->check(CLI::Range(0.01, 86400.0));
}

void add_looking(Parser& parser) {
  const auto [list, list_options] = parser.add<ListOptions>("list", "the topics, and who is on them");
  list.add_option("backend", list_options.backend, "a backend, such as shm://?root=/run/robot (default: shm)");
  list.add_flag("-p,--peers", list_options.peers, "each publisher and subscriber in a line of its own");

  const auto [info, info_options] = parser.add<InfoOptions>("info", "all about one topic");
  info.add_option("topic", info_options.topic, any_topic)->required();
}

void add_top(Parser& parser) {
  const auto [top, options] = parser.add<TopOptions>("top", "a live table of all topics");
  top.add_option("backend", options.backend, any_root);
  add_interval(top, options.interval);
  CLI::Option* count =
      top.add_option("-n,--count", options.count, "end after so many tables")->check(CLI::PositiveNumber);
  top.add_flag_callback(
         "--once", [&options] { options.count = 1; }, "one table, after one interval")
      ->excludes(count);
  top.add_flag("-p,--peers", options.peers, "each publisher and subscriber in a line of its own");
  top.add_option("-s,--sort", options.sort, "name, rate, bytes, lost, lag or memory (default: bytes)")
      ->check(CLI::IsMember({"name", "rate", "bytes", "lost", "lag", "memory"}));
}

void add_listeners(Parser& parser) {
  const auto [echo, echo_options] = parser.add<EchoOptions>("echo", "the messages of a topic as they come");
  add_listening(echo, echo_options.listening);
  CLI::Option* text = echo.add_flag("--text", echo_options.text, "each payload as a line of text, and nothing else");
  CLI::Option* hex = echo.add_flag("--hex", echo_options.hex, "payloads in hexadecimal, also those that are text");
  CLI::Option* raw = echo.add_flag("--raw", echo_options.raw, "the bytes of the payloads and nothing else");
  CLI::Option* descriptor =
      echo.add_option("--descriptor", echo_options.descriptor,
                      "payloads as Protobuf messages, which this file describes (protoc --descriptor_set_out)");
  echo.add_option("--message", echo_options.message, "which of them, as robot.Pose")->needs(descriptor);
  raw->excludes(text)->excludes(hex)->excludes(descriptor);
  text->excludes(hex)->excludes(descriptor);
  hex->excludes(descriptor);

  const auto [hz, hz_options] = parser.add<HzOptions>("hz", "how often messages come, and how regularly");
  add_listening(hz, hz_options.listening);
  add_interval(hz, hz_options.interval);
  const auto [bw, bw_options] = parser.add<BwOptions>("bw", "how many bytes come in a second");
  add_listening(bw, bw_options.listening);
  add_interval(bw, bw_options.interval);
}

void add_pub(Parser& parser) {
  const auto [pub, options] = parser.add<PubOptions>("pub", "publishes messages");
  pub.add_option("topic", options.topic, any_topic)->required();
  CLI::Option* messages =
      pub.add_option("message", options.messages, "the messages; without any, the lines of the standard input");
  CLI::Option* file = pub.add_option("-f,--file", options.file, "the whole of this file as one message");
  CLI::Option* lines = pub.add_option("-l,--lines", options.lines, "the lines of this file (-: of the standard input)");
  CLI::Option* chunk = pub.add_option("-s,--size", options.chunk, "messages of so many bytes instead of lines")
                           ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 30U));
  for (CLI::Option* option : {lines, chunk}) option->excludes(messages)->excludes(file);
  file->excludes(messages);
  pub.add_option("-r,--rate", options.rate, "messages a second (default: as fast as can be)")
      ->check(CLI::PositiveNumber);
  pub.add_option("-n,--count", options.count, "so many messages in all; given ones go round until then")
      ->check(CLI::PositiveNumber);
  pub.add_option("-w,--wait-for", options.wait_for, "begin when there are so many subscribers")
      ->check(CLI::PositiveNumber);
  pub.add_option("-t,--time", options.patience, "seconds to wait for them (default: no end)")
      ->check(CLI::PositiveNumber);
}

void add_recording(Parser& parser) {
  const auto [record, record_options] = parser.add<RecordOptions>("record", "writes what comes on topics into a file");
  record.add_option("topics", record_options.topics, "topics of shm, or endpoints of any backend")->required();
  record.add_option("-o,--output", record_options.file, "the file")->required();
  record.add_flag("-a,--append", record_options.append, "continue a file, also one whose recorder was killed");
  add_end(record, record_options.listening);

  const auto [replay, replay_options] = parser.add<ReplayOptions>("replay", "publishes what was recorded");
  replay.add_option("file", replay_options.file, "a file of weir record")->required();
  CLI::Option* fast = replay.add_flag("--fast", replay_options.fast, "as fast as can be, not at the recorded times");
  replay.add_option("--speed", replay_options.speed, "2: twice as fast as it was")
      ->check(CLI::Range(1e-3, 1e6))
      ->excludes(fast);
  replay.add_option("--from", replay_options.from, "begin so many seconds behind the first message")
      ->check(CLI::Range(0.0, 1e9));
  replay.add_option("--to", replay_options.to, "publish there instead: a topic, or the endpoint of any backend");
  replay.add_option("--options", replay_options.options, "options of the publishers, such as 'grant=block&history=8'");
  replay.add_option("-w,--wait-for", replay_options.wait_for, "begin when each topic has so many subscribers")
      ->check(CLI::PositiveNumber);
  replay.add_flag("--describe", replay_options.describe, "only say what is in it");
}

void add_bridge(Parser& parser) {
  const auto [bridge, options] = parser.add<BridgeOptions>("bridge", "carries messages from one endpoint to another");
  bridge
      .add_option("routes", options.routes,
                  "FROM TO: endpoints, each with its options; one * in both topics carries all that fit")
      ->required();
  bridge.add_flag("--drop", options.drops_when_full, "pass over a message for which TO has no room; otherwise wait");
  bridge.add_option("-i,--interval", options.interval, "say what was carried each so many seconds")
      ->check(CLI::Range(0.01, 86400.0));
}

void add_bench(Parser& parser) {
  const auto [bench, options] = parser.add<BenchOptions>("bench", "how fast a backend is here: a short measurement");
  bench.add_option("backend", options.backend, "shm, iceoryx or zmq+ipc, with options (default: shm)");
  bench.add_option("-t,--time", options.seconds, "seconds for all of it (default: 4)")->check(CLI::Range(0.1, 3600.0));

  const auto [answer, answer_options] = parser.add<BenchAnswerOptions>("bench-answer", "the other process of a bench");
  answer.add_option("there", answer_options.there)->required();
  answer.add_option("back", answer_options.back)->required();
  answer.group("");  // not for people
}

void add_tidying(Parser& parser) {
  const auto [remove, remove_options] =
      parser.add<RemoveOptions>("remove", "erases a topic that nobody uses, with its history");
  remove.add_option("topic", remove_options.topic, any_topic)->required();

  const auto [clean, clean_options] = parser.add<CleanOptions>("clean", "takes away what dead processes left");
  clean.add_option("backend", clean_options.backend, any_root);
  clean.add_flag("--dry-run", clean_options.dry_run, "only say what would go");

  const auto [doctor, doctor_options] =
      parser.add<DoctorOptions>("doctor", "what is wrong with this machine, and what mends it");
  doctor.add_option("backend", doctor_options.backend, any_root);
}

}  // namespace

Result<Request> parse(int count, const char* const* arguments, Console& console) {
  Parser parser;
  add_looking(parser);
  add_top(parser);
  add_listeners(parser);
  add_pub(parser);
  add_recording(parser);
  add_bridge(parser);
  add_tidying(parser);
  add_bench(parser);
  return parser.parse(count, arguments, console);
}

}  // namespace weir::tool
