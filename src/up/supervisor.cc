#include "up/supervisor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <functional>

#include "sys/clock.h"
#include "sys/random.h"

namespace timepool::up {
namespace {

namespace json = boost::json;

constexpr std::size_t kLastLines = 8;
constexpr off_t kTail = 4096;

// The last lines of a file; none when there is no file.
std::vector<std::string> tail_of(const std::string& path) {
  const sys::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!file || ::fstat(file.number(), &info) != 0) return {};
  std::string text(static_cast<std::size_t>(std::min(info.st_size, kTail)), '\0');
  const off_t from = info.st_size - static_cast<off_t>(text.size());
  const ssize_t got = ::pread(file.number(), text.data(), text.size(), from);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (lines.size() > kLastLines) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kLastLines));
  }
  return lines;
}

void pause(Duration span) {
  timespec time = sys::to_timespec(span);
  while (::nanosleep(&time, &time) != 0 && errno == EINTR) {
  }
}

}  // namespace

Result<void> Supervisor::start(ChildSpec spec) {
  children_.push_back({std::move(spec),
                       std::nullopt,
                       {},
                       {},
                       0,
                       Backoff(Duration::seconds(1), Duration::seconds(30), sys::random_u64())});
  return launch(children_.back());
}

Result<void> Supervisor::launch(Child& child) {
  const std::string path = log_path(child.spec.name);
  const sys::Fd log(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log) return fail(system_error(errno, "open " + path));
  sys::ProcessOptions options;
  options.argv = child.spec.argv;
  options.environment = child.spec.environment;
  options.output_fd = log.number();
  options.own_group = true;
  child.process = TRY(sys::Process::start(options));
  child.started = sys::mono_now();
  json::object details{{"name", child.spec.name}, {"pid", child.process->pid()}};
  for (const auto& [key, value] : child.spec.details) details[key] = value;
  display_.event("started", details);
  return {};
}

Result<void> Supervisor::tick(MonoTime now) {
  for (Child& child : children_) {
    if (child.process) {
      if (const auto status = child.process->poll_exit()) TRY(ended(child, *status, now));
    } else if (now >= child.restart_at) {
      TRY(launch(child));
    }
  }
  return {};
}

Result<void> Supervisor::ended(Child& child, int status, MonoTime now) {
  child.process.reset();
  const std::string how = sys::describe_exit(status);
  json::array lines;
  for (const std::string& line : tail_of(log_path(child.spec.name))) {
    lines.push_back(json::value(line));
  }
  display_.event("exited",
                 {{"name", child.spec.name}, {"how", how}, {"last_lines", std::move(lines)}});
  const bool quick = now - child.started < kQuick;
  child.quick_failures = quick ? child.quick_failures + 1 : 1;
  if (!quick) child.backoff.succeeded();
  if (quick && child.quick_failures >= kMaxQuickFailures) {
    return fail(Error{ErrorCode::kUnavailable, child.spec.name,
                      "ended at once three times, last by " + how + "; its last lines:\n" +
                          last_lines(child.spec.name)});
  }
  child.restart_at = now + child.backoff.failed();
  return {};
}

bool Supervisor::runs(const std::string& name) const {
  return std::ranges::any_of(children_, [&](const Child& child) {
    return child.spec.name == name && child.process.has_value();
  });
}

std::string Supervisor::last_lines(const std::string& name) const {
  std::string out;
  for (const std::string& line : tail_of(log_path(name))) out += "  " + line + "\n";
  return out.empty() ? "  (it wrote nothing)" : out;
}

void Supervisor::stop_all() {
  const auto running = [](Child& child) { return child.process.has_value(); };
  for (Child& child : children_) {
    if (!child.process) continue;
    child.process->signal(SIGTERM);
    child.process->signal(SIGCONT);  // one that was stopped can't end otherwise
  }
  const MonoTime end = sys::mono_now() + kGrace;
  while (std::ranges::any_of(children_, running) && sys::mono_now() < end) {
    for (Child& child : children_) {
      if (child.process && child.process->poll_exit()) child.process.reset();
    }
    pause(Duration::milliseconds(10));
  }
  // What is still there is killed and waited for by its destructor.
  children_.clear();
}

}  // namespace timepool::up
