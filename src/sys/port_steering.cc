#include "sys/port_steering.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <span>

#include "base/check.h"

namespace timepool::sys {
namespace {

// Where the source address stands in the network header.
constexpr std::uint32_t kSourceV4 = static_cast<std::uint32_t>(SKF_NET_OFF) + 12;
constexpr std::uint32_t kSourceV6 = static_cast<std::uint32_t>(SKF_NET_OFF) + 8;
// 2^32 divided by the golden ratio: spreads neighbouring prefixes over the upper bits.
constexpr std::uint32_t kSpread = 0x9e3779b1;

constexpr sock_filter step(int code, std::uint32_t value) {
  return {static_cast<std::uint16_t>(code), 0, 0, value};
}

// What follows the prefix in the accumulator: its hash, brought into 0 to count - 1.
constexpr std::array<sock_filter, 4> hash_tail(std::uint32_t count) {
  return {step(BPF_ALU | BPF_MUL | BPF_K, kSpread), step(BPF_ALU | BPF_RSH | BPF_K, 16),
          step(BPF_ALU | BPF_MOD | BPF_K, count), step(BPF_RET | BPF_A, 0)};
}

Result<void> attach(int socket, std::span<sock_filter> program) {
  const sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
  if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &attached, sizeof attached) < 0) {
    return fail(system_error(errno, "setsockopt SO_ATTACH_REUSEPORT_CBPF"));
  }
  return {};
}

}  // namespace

Result<void> steer_by_source_prefix(int socket, IpFamily family, unsigned count) {
  CHECK(count >= 1 && count <= 64);
  const auto tail = hash_tail(count);
  if (family == IpFamily::kV4) {
    std::array program{step(BPF_LD | BPF_W | BPF_ABS, kSourceV4),
                       step(BPF_ALU | BPF_RSH | BPF_K, 32 - kSteeredBitsV4),
                       tail[0],
                       tail[1],
                       tail[2],
                       tail[3]};
    return attach(socket, program);
  }
  // The first 32 bits are hashed, the next 16 added, and both hashed again.
  std::array program{step(BPF_LD | BPF_W | BPF_ABS, kSourceV6),
                     step(BPF_ALU | BPF_MUL | BPF_K, kSpread),
                     step(BPF_MISC | BPF_TAX, 0),
                     step(BPF_LD | BPF_H | BPF_ABS, kSourceV6 + 4),
                     step(BPF_ALU | BPF_ADD | BPF_X, 0),
                     tail[0],
                     tail[1],
                     tail[2],
                     tail[3]};
  return attach(socket, program);
}

}  // namespace timepool::sys
