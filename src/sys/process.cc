#include "sys/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace timepool::sys {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> joined_environment(const std::vector<std::string>& added) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const std::string& more : added) replaced = replaced || more.starts_with(name);
    if (!replaced) out.emplace_back(text);
  }
  out.insert(out.end(), added.begin(), added.end());
  return out;
}

// Runs in the child between fork and exec: system calls only. Sends errno through `report`.
[[noreturn]] void become(const ProcessOptions& options, char* const* argv, char* const* environment,
                         pid_t parent, int report) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  bool ok = ::getppid() == parent;
  if (options.own_group) ok = ok && ::setpgid(0, 0) == 0;
  if (options.output_fd >= 0) {
    ok = ok && ::dup2(options.output_fd, 1) >= 0 && ::dup2(options.output_fd, 2) >= 0;
  }
  if (!options.working_directory.empty()) {
    ok = ok && ::chdir(options.working_directory.c_str()) == 0;
  }
  if (ok) ::execvpe(argv[0], argv, environment);
  const int error = errno;
  const ssize_t written = ::write(report, &error, sizeof error);
  static_cast<void>(written);
  ::_exit(127);
}

}  // namespace

void die_with_parent() {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
}

Result<Process> Process::start(const ProcessOptions& options) {
  if (options.argv.empty()) {
    return fail(Error{ErrorCode::kInvalid, "start process", "no program named"});
  }
  std::array<int, 2> report{};
  if (::pipe2(report.data(), O_CLOEXEC) < 0) return fail(system_error(errno, "pipe"));
  const Fd reader(report[0]);
  Fd writer(report[1]);
  const std::vector<char*> argv = pointers(options.argv);
  const std::vector<std::string> environment = joined_environment(options.environment);
  const std::vector<char*> environment_pointers = pointers(environment);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(system_error(errno, "fork"));
  if (pid == 0) {
    become(options, argv.data(), environment_pointers.data(), parent, writer.number());
  }
  writer.reset();
  int error = 0;
  ssize_t count = 0;
  // The pipe closes at exec; bytes mean that it failed.
  do {
    count = ::read(reader.number(), &error, sizeof error);
  } while (count < 0 && errno == EINTR);
  Process process(pid);
  if (count == 0) return process;
  process.wait();
  return fail(system_error(error, "start " + options.argv[0]));
}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    Process old(std::move(*this));
    pid_ = std::exchange(other.pid_, -1);
  }
  return *this;
}

Process::~Process() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

void Process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

std::optional<int> Process::poll_exit() {
  if (pid_ <= 0) return std::nullopt;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  return status;
}

int Process::wait() {
  int status = 0;
  if (pid_ <= 0) return status;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

std::string describe_exit(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int number = WTERMSIG(wait_status);
    return "killed by signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
  }
  return "exit status " + std::to_string(WEXITSTATUS(wait_status));
}

}  // namespace timepool::sys
