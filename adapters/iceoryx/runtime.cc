#include "adapters/iceoryx/runtime.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <iceoryx_hoofs/error_handling/error_handling.hpp>
#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/internal/runtime/posh_runtime_impl.hpp>

#include "adapters/iceoryx/attendant.h"
#include "adapters/iceoryx/bounded.h"
#include "adapters/iceoryx/roudi_process.h"
#include "transport/process.h"

namespace weir::iceoryx {
namespace {

using iox::runtime::PoshRuntime;

// The name of the error that iceoryx met last on this thread; null if none.
thread_local const char* met = nullptr;

// What iceoryx would abort for is noted, and its call goes on and returns a failure. After a fatal error it could not
// go on: the thread stays here, which is one that nobody waits for (bounded.h).
void note_error(const iox::Error error, const std::function<void()>& /*reaction*/, const iox::ErrorLevel level) {
  met = iox::ErrorHandler::toString(error);
  if (level != iox::ErrorLevel::FATAL) return;
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable never_signalled;
  while (true) never_signalled.wait(lock);
}

// In iceoryx the handler is one for the process; it stays as long as a request of ours is under way.
const iox::HandlerFunction noting(note_error);

Error absent(std::string_view found) {
  return {
      ErrorCode::unavailable,
      fmt::format("iceoryx: {}: start RouDi with `iox-roudi`, as a user whose group this process shares, or let weir "
                  "start one for this process with the option roudi=spawn",
                  found)};
}

// What a descriptor is: the path of a file, or of the socket that it is bound or connected to.
std::string path_of_descriptor(int descriptor) {
  sockaddr_un address{};
  socklen_t size = sizeof(address);
  const auto path = [&] { return address.sun_family == AF_UNIX ? std::string(address.sun_path) : std::string(); };
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    if (std::string own = path(); !own.empty()) return own;
    address = {};
    size = sizeof(address);
    const int connected = ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
    return connected == 0 ? path() : std::string();
  }
  std::error_code gone;
  return std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", descriptor), gone);
}

template <class Visit>
void for_each_descriptor(Visit visit) {
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", gone)) {
    const int descriptor = std::atoi(entry.path().filename().c_str());
    visit(descriptor, path_of_descriptor(descriptor));
  }
}

// Whether the application has made a runtime of its own: it holds the socket and the lock of that name in /tmp.
bool application_has_runtime() {
  std::vector<std::string> sockets;
  std::vector<std::string> locks;
  for_each_descriptor([&](int /*descriptor*/, const std::string& path) {
    constexpr std::string_view suffix = ".lock";
    if (!path.starts_with("/tmp/") || path.starts_with("/tmp/weir-")) return;
    (path.ends_with(suffix) ? locks : sockets).push_back(path);
  });
  return std::any_of(sockets.begin(), sockets.end(), [&](const std::string& socket) {
    return std::find(locks.begin(), locks.end(), socket + ".lock") != locks.end();
  });
}

// iceoryx lets the programs that a process executes inherit what it opens.
void close_on_exec(const std::string& name) {
  for_each_descriptor([&](int descriptor, const std::string& path) {
    if (path == roudi_socket || path.starts_with("/tmp/" + name) || path.starts_with("/dev/shm/")) {
      const int flags = ::fcntl(descriptor, F_GETFD);
      if (flags >= 0) ::fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);
    }
  });
}

std::mutex join_mutex;
std::weak_ptr<Runtime> current;

// The process (its generation) that has a runtime, be it on its way out; 0 if none. Until then all that iceoryx has
// once in a process, such as the factory and the addresses of the segments, is that runtime's.
std::atomic<std::uint64_t> living_in{0};

void wait_until_retired() noexcept {
  const std::uint64_t self = spi::process_generation();
  while (living_in.load(std::memory_order_acquire) == self) living_in.wait(self, std::memory_order_acquire);
}

}  // namespace

// iceoryx's runtime, with a life that we decide on.
class Runtime::Posh : public iox::runtime::PoshRuntimeImpl {
 public:
  explicit Posh(const iox::RuntimeName_t& name)
      : PoshRuntimeImpl(iox::cxx::make_optional<const iox::RuntimeName_t*>(&name)) {}

  // From now on iceoryx's own calls in this process get this runtime; null: what iceoryx would do without us.
  static void install(PoshRuntime* runtime) {
    installed = runtime;
    setRuntimeFactory(runtime == nullptr ? &PoshRuntimeImpl::defaultRuntimeFactory : &installed_runtime);
  }

 private:
  // NOLINTNEXTLINE(performance-unnecessary-value-param): iceoryx prescribes the signature
  static PoshRuntime& installed_runtime(iox::cxx::optional<const iox::RuntimeName_t*> /*name*/) { return *installed; }
  static inline PoshRuntime* installed = nullptr;
};

Runtime::Runtime(std::string name, RoudiIdentity roudi)
    : name_(std::move(name)), roudi_(roudi), process_(spi::process_generation()) {
  living_in.store(process_, std::memory_order_release);
}

bool Runtime::inherited() const noexcept { return spi::process_generation() != process_; }

void Runtime::retire(Runtime* runtime) noexcept {
  if (runtime->inherited()) return;
  delete runtime;
  living_in.store(0, std::memory_order_release);
  living_in.notify_all();
}

Runtime::~Runtime() {
  attendant_.reset();
  if (posh_) {
    Posh::install(nullptr);
    // The farewell is a request too. A RouDi that is stuck, or no longer knows us, does not answer it.
    const bool hopeless = gone() != nullptr && listening_roudi() == roudi_;
    Posh* const posh = posh_.release();
    try {
      if (!hopeless) {
        (void)bounded(
            request_limit, [posh] { return delete posh, true; }, [](bool) {});
      }
    } catch (const std::system_error&) {
      // No thread is to be had for it: it stays for good, as a hopeless one does.
    }
    iox::rp::BaseRelativePointer::unregisterAll();
  }
  delete gone_.load();
}

void Runtime::lose(std::string reason) {
  auto error =
      std::make_unique<const Error>(absent(std::move(reason) + "; close all iceoryx endpoints of this process"));
  const Error* expected = nullptr;
  if (gone_.compare_exchange_strong(expected, error.get(), std::memory_order_acq_rel)) {
    (void)error.release();
  }
}

Status Runtime::connect() {
  if (application_has_runtime()) {
    runtime_ = &PoshRuntime::getInstance();
    name_ = runtime_->getInstanceName().c_str();
    return {};
  }
  // What iceoryx would write to the terminal comes back as errors.
  iox::log::LogManager::GetLogManager().SetDefaultLogLevel(iox::log::LogLevel::kFatal,
                                                           iox::log::LogLevelOutput::kHideLogLevel);
  // Of a runtime that is gone, or of the parent process.
  iox::rp::BaseRelativePointer::unregisterAll();
  auto handler = std::make_shared<iox::cxx::GenericRAII>(iox::ErrorHandler::setTemporaryErrorHandler(noting));
  auto made = bounded(
      registration_limit,
      [name = name_, handler] {
        return std::make_unique<Posh>(iox::RuntimeName_t(iox::cxx::TruncateToCapacity, name.c_str()));
      },
      [](std::unique_ptr<Posh>) {});
  if (!made) return tl::unexpected(absent("RouDi went away, or got stuck, while this process registered with it"));
  posh_ = std::move(*made);
  runtime_ = posh_.get();
  Posh::install(runtime_);
  close_on_exec(name_);
  return {};
}

Result<std::shared_ptr<Runtime>> Runtime::join(const Spawn& spawn) {
  const std::lock_guard lock(join_mutex);
  auto runtime = current.lock();
  if (runtime && !runtime->inherited()) {
    if (runtime->gone() != nullptr) return tl::unexpected(*runtime->gone());
    return runtime;
  }
  wait_until_retired();
  if (runtime) new std::shared_ptr<Runtime>(std::move(runtime));  // the parent's: stays for good
  sweep_dead_names();
  Result<std::shared_ptr<Runtime>> made = make(spawn);
  if (made) current = *made;
  return made;
}

Result<std::shared_ptr<Runtime>> Runtime::make(const Spawn& spawn) {
  std::unique_ptr<RoudiProcess> own_roudi;
  auto roudi = listening_roudi();
  if (!roudi && spawn) {
    auto spawned = spawn();
    if (!spawned) return tl::unexpected(spawned.error());
    own_roudi = std::move(*spawned);
    roudi = listening_roudi();
  }
  if (!roudi) return tl::unexpected(absent("no RouDi is running"));
  // One that is stuck would let the registration wait for a minute.
  static std::unique_ptr<Probe> first_probe;
  static std::uint64_t first_probe_of = 0;
  if (!first_probe || first_probe_of != spi::process_generation()) {
    auto probe = Probe::create();
    if (!probe) return tl::unexpected(probe.error());
    (void)first_probe.release();  // the parent's, if it is anybody's
    first_probe = std::move(*probe);
    first_probe_of = spi::process_generation();
  }
  if (first_probe->wait(after(request_limit)) != Probe::Answer::answered) {
    return tl::unexpected(absent("a RouDi is there and does not answer: end it"));
  }
  first_probe.reset();
  std::shared_ptr<Runtime> runtime(new Runtime(unique_name("app"), *roudi), &Runtime::retire);
  runtime->own_roudi_ = std::move(own_roudi);
  if (Status connected = runtime->connect(); !connected) return tl::unexpected(connected.error());
  auto attendant = Attendant::start(*runtime);
  if (!attendant) return tl::unexpected(attendant.error());
  runtime->attendant_ = std::move(*attendant);
  return runtime;
}

Result<void*> Runtime::ask_roudi(std::function<void*(PoshRuntime&)> ask) {
  if (gone() != nullptr) return tl::unexpected(*gone());
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  auto handler = std::make_shared<iox::cxx::GenericRAII>(iox::ErrorHandler::setTemporaryErrorHandler(noting));
  struct Answer {
    void* data;
    const char* error;
  };
  const auto answer = bounded(
      request_limit,
      [ask = std::move(ask), runtime = runtime_, handler] {
        void* data = ask(*runtime);
        return Answer{.data = data, .error = met};
      },
      [](const Answer&) {});
  if (!answer) {
    lose("RouDi did not answer a request");
    return tl::unexpected(*gone());
  }
  if (answer->data != nullptr) return answer->data;
  const std::string_view error = answer->error == nullptr ? "no reason given" : answer->error;
  if (listening_roudi() != roudi_) {
    lose("RouDi went away in the middle of a request");
    return tl::unexpected(*gone());
  }
  const bool full = error.find("LIST_FULL") != std::string_view::npos;
  return failure(full ? ErrorCode::resource_exhausted : ErrorCode::internal,
                 fmt::format("iceoryx: RouDi refused the request: {}{}", error,
                             full ? ": close ports, in this process or others" : ""));
}

}  // namespace weir::iceoryx
