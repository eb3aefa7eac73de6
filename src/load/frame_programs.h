// The three XDP programs of the frame generator (frame_generator.h) and the memory that they share
// with it:
//   request_program  on copies of a frame: makes each one that is due the next client's NTP request
//                    and sends it (XDP_TX), the others are dropped
//   arrival_program  at the server's device: counts the requests that arrive, and lets all pass
//   reply_program    at our device: counts the server's replies by what they are, and drops them
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/ip.h"
#include "load/bpf.h"

namespace timepool::load {

// Offsets of its 64-bit words in octets, those of one program a cache line apart from the others.
struct FrameMemory {
  static constexpr int kNext = 0;       // when the next request is due; monotonic clock, ns
  static constexpr int kEnd = 8;        // none leaves from then on
  static constexpr int kSequence = 16;  // of the last request: 1, 2, ...
  static constexpr int kArrived = 128;
  static constexpr int kAnswered = 256;
  static constexpr int kRefused = 264;  // stratum 0: a kiss of death, or not synchronised
  static constexpr int kInvalid = 272;  // no NTP answer
  static constexpr std::size_t kSize = 384;
};

// An Ethernet frame with IPv4, UDP and 48 octets of NTP.
inline constexpr std::size_t kFrameSize = 14 + 20 + 8 + 48;
using MacAddress = std::array<std::byte, 6>;

struct FramePlan {
  Endpoint target;  // of IPv4
  Prefix sources;   // of IPv4
  // A power of two, and no more than `sources` has addresses: so many ask, spread evenly over them,
  // in an order that mixes near and far.
  std::uint32_t clients = 1;
  std::int64_t interval_ns = 0;  // between two requests, below 2^31
  // What a pause made late is sent at once up to so many; the rest never.
  static constexpr std::int64_t kMaxBacklog = 32;
};

// The request that all are made from: source address, port and transmit timestamp are zero. No UDP
// checksum (RFC 768: zero), so that the programs need none.
std::array<std::byte, kFrameSize> request_frame(const FramePlan& plan, const MacAddress& from,
                                                const MacAddress& to);

// `map` is a SharedMemory of FrameMemory::kSize.
std::vector<bpf_insn> request_program(const FramePlan& plan, int map);
std::vector<bpf_insn> arrival_program(const FramePlan& plan, int map);
std::vector<bpf_insn> reply_program(const FramePlan& plan, int map);

}  // namespace timepool::load
