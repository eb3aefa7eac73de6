#include "sys/hardware_timestamping.h"

#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sys/udp_socket.h"

namespace timepool::sys {
namespace {

constexpr std::uint32_t kFrameChecksum = 4;
// Speeds that mean "unknown" in the kernel's interface, or nonsense.
constexpr std::uint32_t kMaxSpeed = 10'000'000;

// The request for one interface; the data pointer is the ioctl's.
ifreq request_for(const std::string& interface) {
  ifreq out{};
  std::copy_n(interface.begin(), std::min<std::size_t>(interface.size(), IFNAMSIZ - 1),
              out.ifr_name);
  return out;
}

template <class T>
bool call(int fd, unsigned long what, const std::string& interface, T& data) {
  ifreq request = request_for(interface);
  request.ifr_data = reinterpret_cast<char*>(&data);
  return ::ioctl(fd, what, &request) == 0;
}

std::uint32_t speed_of(int fd, const std::string& interface) {
  ethtool_cmd settings{};
  settings.cmd = ETHTOOL_GSET;
  if (!call(fd, SIOCETHTOOL, interface, settings)) return 0;
  const std::uint32_t speed = ethtool_cmd_speed(&settings);
  return speed <= kMaxSpeed ? speed : 0;
}

// The narrowest filter that takes NTP: some devices stamp everything at a cost.
int filter_of(const ethtool_ts_info& info) {
  for (const int filter : {HWTSTAMP_FILTER_NTP_ALL, HWTSTAMP_FILTER_ALL}) {
    if ((info.rx_filters & (1U << static_cast<unsigned>(filter))) != 0) return filter;
  }
  return HWTSTAMP_FILTER_NONE;
}

// Without the privilege to set it, what another program set may do.
bool stamps_already(int fd, const std::string& interface, hwtstamp_config& config) {
  hwtstamp_config present{};
  if (!call(fd, SIOCGHWTSTAMP, interface, present)) return false;
  config = present;
  return present.tx_type == HWTSTAMP_TX_ON;
}

}  // namespace

std::vector<std::string> interface_names() {
  std::vector<std::string> out;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return out;
  for (const ifaddrs* it = list; it != nullptr; it = it->ifa_next) {
    if (std::find(out.begin(), out.end(), it->ifa_name) == out.end()) out.push_back(it->ifa_name);
  }
  ::freeifaddrs(list);
  return out;
}

Result<TimestampingDevice> enable_hardware_timestamps(const std::string& interface) {
  const std::string what = "hardware timestamps of " + interface;
  const Fd fd = TRY(make_socket(AF_INET, SOCK_DGRAM));
  TimestampingDevice out;
  out.name = interface;
  ifreq index = request_for(interface);
  if (::ioctl(fd.number(), SIOCGIFINDEX, &index) != 0) {
    return fail(Error{ErrorCode::kNotFound, what, "there is no such interface"});
  }
  out.index = static_cast<std::uint32_t>(index.ifr_ifindex);
  ethtool_ts_info info{};
  info.cmd = ETHTOOL_GET_TS_INFO;
  constexpr std::uint32_t kNeeded = SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
  if (!call(fd.number(), SIOCETHTOOL, interface, info) ||
      (info.so_timestamping & kNeeded) != kNeeded || info.phc_index < 0) {
    return fail(Error{ErrorCode::kInvalid, what, "the device makes none"});
  }
  out.clock = info.phc_index;
  hwtstamp_config config{};
  config.tx_type = HWTSTAMP_TX_ON;
  config.rx_filter = filter_of(info);
  if (!call(fd.number(), SIOCSHWTSTAMP, interface, config)) {
    const int error = errno;
    if (!stamps_already(fd.number(), interface, config)) return fail(system_error(error, what));
  }
  out.receives =
      config.rx_filter == HWTSTAMP_FILTER_ALL || config.rx_filter == HWTSTAMP_FILTER_NTP_ALL;
  out.speed = speed_of(fd.number(), interface);
  return out;
}

Duration time_on_wire(std::uint32_t length, std::uint32_t speed) {
  if (speed == 0 || length == 0) return {};
  const auto bits = (std::int64_t{length} + kFrameChecksum) * 8;
  return Duration::nanoseconds((bits * 1000 + speed / 2) / speed);
}

}  // namespace timepool::sys
