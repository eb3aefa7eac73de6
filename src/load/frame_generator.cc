#include "load/frame_generator.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <thread>
#include <utility>

#include "load/bpf.h"
#include "load/frame_programs.h"
#include "load/generator.h"
#include "load/load_socket.h"
#include "sys/clock.h"
#include "sys/fd.h"

namespace timepool::load {
namespace {

// No iteration of the program takes less, so that as many as these fill the time.
constexpr std::int64_t kShortestIterationNs = 50;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

Result<void> check_options(const FrameOptions& options) {
  const auto bad = [](const char* detail) {
    return fail(Error{ErrorCode::kInvalid, "frame generator", detail});
  };
  if (!options.target.address.is_v4() || options.target.port == 0) {
    return bad("the target must be an IPv4 address and a port");
  }
  if (!options.sources || !options.sources->base().is_v4()) {
    return bad("the sources must be a prefix of IPv4");
  }
  if (options.rate < FrameOptions::kMinRate || options.rate > FrameOptions::kMaxRate) {
    return bad("the rate must be 100 to 2000000");
  }
  if (options.duration <= Duration() || options.duration > Duration::seconds(60)) {
    return bad("the duration must be above 0 and at most 1m");
  }
  if (options.timeout <= Duration() || options.timeout > Duration::seconds(10)) {
    return bad("the timeout must be above 0 and at most 10s");
  }
  const int bits = 32 - options.sources->length();
  if (options.clients < 1 || options.clients > FrameOptions::kMaxClients ||
      std::bit_ceil(options.clients) > std::uint64_t{1} << bits) {
    return bad("the clients must be 1 to 1048576, and no more than the sources have addresses");
  }
  if (options.target.address.is_loopback() || options.sources->base().is_loopback()) {
    return bad("frames go over a veth pair, not over loopback");
  }
  TRY(check_target(options.sources->base(), true));
  return check_target(options.target.address, true);
}

FramePlan plan_of(const FrameOptions& options) {
  FramePlan out;
  out.target = options.target;
  out.sources = *options.sources;
  out.clients = static_cast<std::uint32_t>(std::bit_ceil(options.clients));
  out.interval_ns = kNsPerSecond / static_cast<std::int64_t>(options.rate);
  return out;
}

struct Device {
  unsigned index = 0;
  MacAddress address{};
};

// Of the calling thread's network namespace.
Result<Device> find_device(const std::string& name) {
  const std::string operation = "device \"" + name + "\"";
  ifreq request{};
  if (name.empty() || name.size() >= sizeof request.ifr_name) {
    return fail(Error{ErrorCode::kInvalid, operation, "is no name of a device"});
  }
  std::memcpy(request.ifr_name, name.data(), name.size());
  const sys::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  Device out;
  out.index = ::if_nametoindex(name.c_str());
  if (out.index == 0 || ::ioctl(socket.number(), SIOCGIFHWADDR, &request) < 0) {
    return fail(system_error(errno, operation));
  }
  std::memcpy(out.address.data(), request.ifr_hwaddr.sa_data, out.address.size());
  return out;
}

// The server's end: its device with the counting program on it, which the kernel also needs there
// to take our frames.
struct FarEnd {
  Device device;
  sys::Fd attached;
};

Result<FarEnd> open_far_end(const FrameOptions& options, const sys::Fd& program) {
  const std::string path = "/proc/" + std::to_string(options.server_process) + "/ns/net";
  const sys::Fd space(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!space.valid()) return fail(system_error(errno, "open " + path));
  if (::setns(space.number(), CLONE_NEWNET) < 0) {
    return fail(system_error(errno, "enter the network namespace " + path));
  }
  FarEnd out;
  out.device = TRY(find_device(options.server_device));
  out.attached = TRY(attach_xdp(program, out.device.index));
  return out;
}

// On a thread of its own, which alone enters the other network namespace.
Result<FarEnd> open_far_end_aside(const FrameOptions& options, const sys::Fd& program) {
  Result<FarEnd> out = FarEnd();
  std::thread([&] { out = open_far_end(options, program); }).join();
  return out;
}

// Signals this thread after `delay`, and every 10 ms from then on, until it goes out of scope:
// beginning and ending a run of the program costs some 20 ms, so there is one run, and a signal is
// what ends it.
class Alarm {
 public:
  static Result<Alarm> set(Duration delay) {
    Alarm out;
    struct sigaction nothing{};
    nothing.sa_handler = [](int) {};
    ::sigaction(SIGALRM, &nothing, &out.before_);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGALRM;
    event._sigev_un._tid = ::gettid();
    if (::timer_create(CLOCK_MONOTONIC, &event, &out.timer_) < 0) {
      return fail(system_error(errno, "make a timer"));
    }
    out.armed_ = true;
    itimerspec when{};
    when.it_value.tv_sec = delay.ns() / kNsPerSecond;
    when.it_value.tv_nsec = delay.ns() % kNsPerSecond;
    when.it_interval.tv_nsec = 10'000'000;
    ::timer_settime(out.timer_, 0, &when, nullptr);
    return out;
  }
  Alarm(Alarm&& other) noexcept
      : timer_(other.timer_), before_(other.before_), armed_(std::exchange(other.armed_, false)) {}
  Alarm& operator=(Alarm&&) = delete;
  ~Alarm() {
    if (!armed_) return;
    ::timer_delete(timer_);
    ::sigaction(SIGALRM, &before_, nullptr);
  }

 private:
  Alarm() = default;

  timer_t timer_{};
  struct sigaction before_{};
  bool armed_ = false;
};

std::uint64_t replies_in(const SharedMemory& memory) {
  return memory.read(FrameMemory::kAnswered) + memory.read(FrameMemory::kRefused) +
         memory.read(FrameMemory::kInvalid);
}

// Until all have come, or none more for as long as the timeout.
void wait_for_replies(const SharedMemory& memory, Duration timeout) {
  constexpr Duration kLook = Duration::milliseconds(10);
  std::uint64_t seen = replies_in(memory);
  MonoTime last = sys::mono_now();
  // Each round but those of one timeout brings a reply, and no request has two.
  while (sys::mono_now() - last < timeout && seen < memory.read(FrameMemory::kArrived)) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(kLook.ns()));
    const std::uint64_t now = replies_in(memory);
    if (now != seen) last = sys::mono_now();
    seen = now;
  }
}

Result<FrameReport> send_and_count(const FrameOptions& options, const sys::Fd& program,
                                   SharedMemory& memory, Bytes frame, unsigned device) {
  const auto alarm = TRY(Alarm::set(options.duration));
  const MonoTime start = sys::mono_now();
  const MonoTime end = start + options.duration;
  const auto repeat = static_cast<std::uint32_t>(options.duration.ns() / kShortestIterationNs + 1);
  memory.write(FrameMemory::kNext, static_cast<std::uint64_t>(start.ns()));
  memory.write(FrameMemory::kEnd, static_cast<std::uint64_t>(end.ns()));
  while (sys::mono_now() < end) TRY(run_xdp_live(program, frame, device, repeat));
  wait_for_replies(memory, options.timeout);
  FrameReport out;
  out.elapsed = options.duration;
  out.sent = memory.read(FrameMemory::kArrived);
  out.answered = memory.read(FrameMemory::kAnswered);
  out.refused = memory.read(FrameMemory::kRefused);
  out.invalid = memory.read(FrameMemory::kInvalid);
  const std::uint64_t left = memory.read(FrameMemory::kSequence);
  out.unsent = left - std::min(left, out.sent);
  return out;
}

}  // namespace

std::uint64_t FrameReport::lost() const {
  return sent - std::min(sent, answered + refused + invalid);
}

double FrameReport::rate() const {
  return static_cast<double>(answered) / elapsed.to_seconds();
}

double FrameReport::offered() const {
  return static_cast<double>(sent) / elapsed.to_seconds();
}

Result<FrameReport> run_frames(const FrameOptions& options) {
  TRY(check_options(options));
  TRY(pin_to_cpu(options.cpu));
  const FramePlan plan = plan_of(options);
  SharedMemory memory = TRY(SharedMemory::create(FrameMemory::kSize));
  const sys::Fd arrivals = TRY(load_xdp(arrival_program(plan, memory.map())));
  const sys::Fd replies = TRY(load_xdp(reply_program(plan, memory.map())));
  const sys::Fd requests = TRY(load_xdp(request_program(plan, memory.map())));
  const Device near = TRY(find_device(options.device));
  // Programs stay on the devices as long as these.
  const FarEnd far = TRY(open_far_end_aside(options, arrivals));
  const sys::Fd near_end = TRY(attach_xdp(replies, near.index));
  const auto frame = request_frame(plan, near.address, far.device.address);
  return send_and_count(options, requests, memory, frame, near.index);
}

}  // namespace timepool::load
