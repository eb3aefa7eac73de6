#include "ntpd/hardware_timestamps.h"

#include <algorithm>
#include <utility>

#include "sys/clock.h"

namespace timepool::ntpd {
namespace {

constexpr Duration kFresh = Duration::milliseconds(250);
// Ethernet, IP and UDP headers: for devices that do not tell the length of the frame.
constexpr std::uint32_t kHeaders4 = 14 + 20 + 8;
constexpr std::uint32_t kHeaders6 = 14 + 40 + 8;

}  // namespace

HardwareTimestamps::HardwareTimestamps(const std::vector<std::string>& interfaces,
                                       RawMapping mapping, sys::Logger& logger)
    : mapping_(std::move(mapping)), logger_(logger) {
  const bool all = std::find(interfaces.begin(), interfaces.end(), "auto") != interfaces.end();
  for (const std::string& name : all ? sys::interface_names() : interfaces) add(name, !all);
  if (all && devices_.empty()) logger_.warning("no network device here makes hardware timestamps");
}

void HardwareTimestamps::add(const std::string& interface, bool expected) {
  const Result<sys::TimestampingDevice> info = sys::enable_hardware_timestamps(interface);
  if (!info.ok()) {
    if (expected || info.error().code == ErrorCode::kDenied) {
      logger_.warning("{}", info.error().text());
    }
    return;
  }
  refclock::PhcOptions options;
  options.device = "/dev/ptp" + std::to_string(info->clock);
  auto driver = refclock::open_phc(options);
  if (!driver.ok()) return logger_.warning("{}: {}", interface, driver.error().text());
  logger_.info("{}: hardware timestamps by {} for what is sent{}", interface, options.device,
               info->receives ? " and received" : "");
  devices_.push_back({*info, std::move(driver).value(), {}, {}});
}

HardwareTimestamps::Device* HardwareTimestamps::find(std::uint32_t interface) {
  if (interface == 0 && devices_.size() == 1) return &devices_.front();
  const auto found = std::find_if(devices_.begin(), devices_.end(), [&](const Device& device) {
    return device.info.index == interface;
  });
  return found == devices_.end() ? nullptr : &*found;
}

void HardwareTimestamps::read_clock(Device& device) {
  const MonoTime now = sys::mono_now();
  if (device.read && now - *device.read < kFresh) return;
  refclock::Looks looks;
  device.driver->poll(looks);
  for (const refclock::Look& look : looks) {
    if (look.reason != ntp::RefclockReason::kAccepted) {
      logger_.debug("clock of {}: {}", device.info.name, name_of(look.reason));
      continue;
    }
    const ntp::RefclockReading& reading = look.reading;
    device.clock.add(
        {reading.local + reading.offset, mapping_.raw(reading.local), reading.dispersion});
    device.read = now;
  }
}

std::optional<ntp::MappedStamp> HardwareTimestamps::map(Device& device, UnixTime stamp) {
  read_clock(device);
  auto out = device.clock.raw_of(stamp);
  if (out) out->raw = mapping_.system(out->raw);
  return out;
}

std::optional<ntp::MappedStamp> HardwareTimestamps::received(const sys::HardwareStamp& stamp,
                                                             std::size_t length, IpFamily family) {
  Device* device = find(stamp.interface);
  if (device == nullptr) return std::nullopt;
  const std::uint32_t headers = family == IpFamily::kV4 ? kHeaders4 : kHeaders6;
  const std::uint32_t frame =
      stamp.length != 0 ? stamp.length : static_cast<std::uint32_t>(length) + headers;
  // The device stamps the frame's start; the path counts until its end.
  return map(*device, stamp.device + sys::time_on_wire(frame, device->info.speed));
}

std::optional<ntp::MappedStamp> HardwareTimestamps::sent(UnixTime device, std::uint32_t interface) {
  Device* found = find(interface);
  return found == nullptr ? std::nullopt : map(*found, device);
}

}  // namespace timepool::ntpd
