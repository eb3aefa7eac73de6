#include "certificates/hook.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <optional>

#include "acme/base64url.h"
#include "sys/clock.h"
#include "sys/privileges.h"
#include "sys/process.h"

namespace timepool::certificates {
namespace {

constexpr int kSocket = 3;  // of the process that runs the program
constexpr std::size_t kWords = 5;
// How often it is looked whether the program has ended, and whether we are to end: milliseconds.
constexpr int kLook = 10;
// What the answer may take longer than the program.
constexpr Duration kSlack = Duration::seconds(2);

enum class Ending : std::int32_t { kEnded, kNotStarted, kLate, kRefused };
// Of one run: which request it was, how it ended, and a wait status or an errno.
using Answer = std::array<std::int32_t, 3>;

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  for (;;) {
    const std::size_t end = text.find('\0');
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

// Whoever has broken into the parent gets no other words to the program.
bool are_words(const std::vector<std::string>& words) {
  if (words.size() != kWords) return false;
  const bool verb = words[0] == "begin" || words[0] == "done" || words[0] == "failed";
  const bool type = acme::parse_challenge_type(words[1]).has_value();
  const auto name = acme::identifier_of(words[2]);
  const std::size_t dot = words[4].find('.');
  const std::string_view proof = words[4];
  return verb && type && name.ok() && name->value == words[2] && acme::is_base64url(words[3]) &&
         dot != std::string::npos && acme::is_base64url(proof.substr(0, dot)) &&
         acme::is_base64url(proof.substr(dot + 1));
}

Answer answer(Ending ending, int value = 0) {
  return {0, static_cast<std::int32_t>(ending), value};
}

// Something to be read: another request, or the end of who asks. Waits for kLook.
bool is_wanted_otherwise() {
  pollfd socket{kSocket, POLLIN, 0};
  return ::poll(&socket, 1, kLook) > 0;
}

// Nothing when nobody waits for it any more.
std::optional<Answer> execute(const std::string& program, std::vector<std::string> words,
                              Duration timeout) {
  sys::ProcessOptions options;
  options.argv = std::move(words);
  options.argv.insert(options.argv.begin(), program);
  options.own_group = true;
  auto started = sys::Process::start(options);
  if (!started.ok()) return answer(Ending::kNotStarted, ENOEXEC);
  const MonoTime until = sys::mono_now() + timeout;
  for (;;) {
    if (const auto status = started->poll_exit()) return answer(Ending::kEnded, *status);
    const bool late = sys::mono_now() >= until;
    if (!late && !is_wanted_otherwise()) continue;
    ::kill(-started->pid(), SIGKILL);
    if (late) return answer(Ending::kLate);
    return std::nullopt;
  }
}

[[noreturn]] void serve(const std::string& program, Duration timeout) {
  std::array<char, Hook::kMaxRequest> room;
  for (std::int32_t number = 1;; ++number) {
    ssize_t size = 0;
    do {
      size = ::recv(kSocket, room.data(), room.size(), 0);
    } while (size < 0 && errno == EINTR);
    if (size <= 0) ::_exit(0);
    std::vector<std::string> words =
        split(std::string_view(room.data(), static_cast<std::size_t>(size)));
    auto out = are_words(words) ? execute(program, std::move(words), timeout)
                                : std::optional(answer(Ending::kRefused));
    if (!out) continue;
    out->front() = number;
    if (::send(kSocket, out->data(), sizeof *out, MSG_NOSIGNAL) < 0) ::_exit(0);
  }
}

void ignore(int) {}

// Of the new process: it keeps its socket and where the log goes, and no right.
[[noreturn]] void begin_process(int socket, pid_t parent, const std::string& program,
                                Duration timeout) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "acme-hook");
  // They come to all of a service or a terminal, and this process is needed until its parent ends.
  // What it executes has the system's actions again, which it would not if they were ignored.
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::signal(number, ignore);
  const bool ready = ::dup2(socket, kSocket) == kSocket && ::close_range(kSocket + 1, ~0U, 0) == 0;
  if (!ready || ::getppid() != parent || !sys::drop_privileges({}).ok()) ::_exit(1);
  serve(program, timeout);
}

}  // namespace

Result<std::unique_ptr<Hook>> Hook::start(const std::string& program, Duration timeout) {
  if (::access(program.c_str(), X_OK) != 0) return fail(system_error(errno, program));
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) < 0) {
    return fail(system_error(errno, "socketpair"));
  }
  sys::Fd ours(pair[0]);
  const sys::Fd theirs(pair[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(system_error(errno, "fork"));
  if (pid == 0) begin_process(theirs.number(), parent, program, timeout);
  return std::unique_ptr<Hook>(new Hook(program, timeout, std::move(ours)));
}

void Hook::end() {
  const MonoTime by = sys::mono_now() + std::min(timeout_, kFarewell);
  std::int64_t never = MonoTime::max().ns();
  end_by_.compare_exchange_strong(never, by.ns());
}

Result<void> Hook::present(const std::vector<acme::Challenge>& challenges) {
  for (const acme::Challenge& it : challenges) {
    const Ran ran = run("begin", it);
    if (ran.fault.empty() || ran.cut_off) begun_.push_back(it);
    if (ran.fault.empty()) continue;
    withdraw(Proved::kNo);
    return fail(Error{ErrorCode::kUnavailable, program_ + " begin", ran.fault});
  }
  return {};
}

void Hook::withdraw(Proved proved) {
  for (const acme::Challenge& it : begun_) {
    static_cast<void>(run(proved == Proved::kYes ? "done" : "failed", it));
  }
  begun_.clear();
}

Duration Hook::left(std::string_view verb, MonoTime told) const {
  const MonoTime end_by = MonoTime::from_ns(end_by_.load());
  if (end_by != MonoTime::max() && verb == "begin") return Duration();
  return std::min(told + timeout_ + kSlack, end_by) - sys::mono_now();
}

Hook::Ran Hook::run(std::string_view verb, const acme::Challenge& challenge) {
  std::string request(verb);
  for (const std::string& word : {std::string(name_of(challenge.type)), challenge.name.value,
                                  challenge.token, challenge.key_authorization}) {
    request += '\0' + word;
  }
  const MonoTime told = sys::mono_now();
  if (left(verb, told) <= Duration()) return {"this program ends"};
  if (::send(socket_.number(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return {"the process that runs it is gone"};
  }
  ++told_;
  Answer out{};
  // What is said of requests before is said too late.
  while (out.front() != told_) {
    if (left(verb, told) <= Duration()) return {"it was cut off", true};
    pollfd waiting{socket_.number(), POLLIN, 0};
    ::poll(&waiting, 1, kLook);
    const ssize_t size = ::recv(socket_.number(), out.data(), sizeof out, MSG_DONTWAIT);
    if (size == 0) return {"the process that runs it is gone", true};
    if (size != sizeof out) out = {};
  }
  switch (static_cast<Ending>(out[1])) {
    case Ending::kEnded:
      return {out[2] == 0 ? "" : sys::describe_exit(out[2])};
    case Ending::kNotStarted:
      return {"it can't be started"};
    case Ending::kLate:
      return {"it took longer than hook_timeout", true};
    case Ending::kRefused:
      break;
  }
  return {"refused"};
}

}  // namespace timepool::certificates
