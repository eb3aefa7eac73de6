// FrameGenerator: NTP requests as frames of a network driver, at a rate, from many clients, over a
// veth pair to a server in another network namespace (XDP programs, frame_programs.h). Unlike what
// sockets of this machine send, each such frame takes a page of the receiver's buffer, as with most
// network cards: a server's queue holds what it would hold in the field. The frames cost the
// generator little, and the replies are counted and dropped at its device, so that all of one
// processor and no more than the receiving softirq of the other one is the server's.
//
// What counts as sent arrived at the server's device. Bounds: a run ends after `duration` and what
// replies take, `timeout` at the most after the last one. One thread besides a short-lived one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/duration.h"
#include "base/ip.h"
#include "base/result.h"

namespace timepool::load {

struct FrameOptions {
  static constexpr std::uint64_t kMinRate = 100;
  static constexpr std::uint64_t kMaxRate = 2'000'000;
  static constexpr std::uint64_t kMaxClients = 1U << 20;

  Endpoint target;                // private and of IPv4 (see check_target)
  std::string device;             // our end of the veth pair
  std::string server_device;      // the other end, in the network namespace of
  int server_process = 0;         // this process
  std::optional<Prefix> sources;  // required: private, routed to our device by the server
  // At least so many addresses ask, spread evenly over the sources: the next power of two.
  std::uint64_t clients = 16384;
  std::uint64_t rate = 10'000;  // requests a second, evenly spaced, whatever comes back
  Duration duration = Duration::seconds(1);        // at most one minute
  Duration timeout = Duration::milliseconds(200);  // at most 10 s
  std::optional<int> cpu;                          // pins the thread
};

struct FrameReport {
  std::uint64_t sent = 0;    // arrived at the server's device
  std::uint64_t unsent = 0;  // left ours and did not
  std::uint64_t answered = 0;
  std::uint64_t refused = 0;  // a kiss of death, or not synchronised
  std::uint64_t invalid = 0;  // from the server's port, but no NTP answer
  Duration elapsed;           // of the sending

  // Without any reply.
  std::uint64_t lost() const;
  double rate() const;     // answers a second
  double offered() const;  // requests a second
};

// Errors: kInvalid for options out of bounds, kDenied as check_target() for the target and the
// sources, and what the system says (CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_BPF are needed).
Result<FrameReport> run_frames(const FrameOptions& options);

}  // namespace timepool::load
