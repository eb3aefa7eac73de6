#include "config/ntpd_refclock.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

namespace timepool::config {
namespace {

constexpr int kLowestPoll = -6;
constexpr int kHighestPoll = 10;

// Three octal digits as a string, with or without leading zeros: "0660".
Codec<std::optional<unsigned>> file_mode() {
  const Codec<std::string> text_codec = text(8);
  return {"a file mode like \"0660\"",
          [text_codec](const Value& value, std::optional<unsigned>& out) -> std::string {
            std::string read;
            std::string wrong = text_codec.read(value, read);
            if (!wrong.empty()) return wrong;
            const bool octal = !read.empty() && std::all_of(read.begin(), read.end(), [](char c) {
              return c >= '0' && c <= '7';
            });
            unsigned mode = 0;
            for (const char c : read) mode = mode * 8 + static_cast<unsigned>(c - '0');
            if (!octal || mode > 0777) return "write a file mode as octal digits like \"0660\"";
            out = mode;
            return {};
          },
          [](const std::optional<unsigned>& in) {
            return in ? fmt::format("\"{:04o}\"", *in) : std::string();
          }};
}

std::string_view name_of(RefclockDriver driver) {
  switch (driver) {
    case RefclockDriver::kShm:
      return "shm";
    case RefclockDriver::kSock:
      return "sock";
    case RefclockDriver::kPps:
      return "pps";
    case RefclockDriver::kPhc:
      break;
  }
  return "phc";
}

// A setting of another driver would do nothing.
std::string check_driver(const NtpRefclockConfig& it) {
  const NtpRefclockConfig unset;
  const auto is = [&](RefclockDriver driver) { return it.driver == driver; };
  const struct {
    const char* key;
    bool set;
    bool fits;
  } kRules[] = {
      {"unit", it.unit != unset.unit, is(RefclockDriver::kShm)},
      {"path", !it.path.empty(), !is(RefclockDriver::kShm)},
      {"permissions", it.permissions.has_value(),
       is(RefclockDriver::kShm) || is(RefclockDriver::kSock)},
      {"owner", !it.owner.empty(), is(RefclockDriver::kShm)},
      {"edge", it.edge != unset.edge,
       is(RefclockDriver::kPps) || (is(RefclockDriver::kPhc) && it.external)},
      {"min_width", it.min_width != unset.min_width, is(RefclockDriver::kPps)},
      {"samples", it.samples != unset.samples, is(RefclockDriver::kPhc)},
      {"external", it.external, is(RefclockDriver::kPhc)},
      {"channel", it.channel != unset.channel, it.external},
      {"pin", it.pin != unset.pin, it.external},
      {"pulses", it.pulses, !is(RefclockDriver::kPps) && !it.external},
      {"tai", it.tai, !is(RefclockDriver::kPps) && !it.external && !it.pulses},
      {"rate", it.rate != unset.rate, is(RefclockDriver::kPps) || it.external || it.pulses},
  };
  for (const auto& rule : kRules) {
    if (rule.set && !rule.fits) {
      return fmt::format("{} means nothing with driver = \"{}\" and the other settings", rule.key,
                         name_of(it.driver));
    }
  }
  return is(RefclockDriver::kSock) && it.path.empty() ? "path is missing: where the socket is made"
                                                      : "";
}

std::string check_one(const NtpRefclockConfig& it) {
  const auto printable = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  };
  if (!printable(it.name)) return "name must be printable ASCII characters without spaces";
  if (!printable(it.refid)) return "refid must be printable ASCII characters without spaces";
  if (it.dpoll > it.poll) return "dpoll is above poll";
  if (it.min_samples > it.max_samples) return "min_samples is above max_samples";
  if (!it.lock.empty() && it.lock == it.effective_name()) return "lock names the clock itself";
  return check_driver(it);
}

// "/dev/pps0" -> "PPS0"
std::string base_name(const std::string& path) {
  std::string out = path.substr(path.find_last_of('/') + 1);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

}  // namespace

std::string NtpRefclockConfig::effective_path() const {
  if (!path.empty()) return path;
  if (driver == RefclockDriver::kPps) return "/dev/pps0";
  return driver == RefclockDriver::kPhc ? "/dev/ptp0" : "";
}

std::string NtpRefclockConfig::effective_name() const {
  if (!name.empty()) return name;
  return driver == RefclockDriver::kShm ? fmt::format("SHM{}", unit) : base_name(effective_path());
}

std::string NtpRefclockConfig::effective_refid() const {
  return refid.empty() ? effective_name().substr(0, 4) : refid;
}

Duration NtpRefclockConfig::effective_precision() const {
  // SHM's writers took microseconds for long.
  return precision.value_or(driver == RefclockDriver::kShm ? Duration::microseconds(1)
                                                           : Duration::nanoseconds(1));
}

Schema<NtpRefclockConfig> refclock_schema() {
  using It = NtpRefclockConfig;
  const Duration second = Duration::seconds(1);
  const Duration day = Duration::seconds(86'400);
  Schema<It> out;
  out.required("driver", &It::driver,
               one_of<RefclockDriver>({{"shm", RefclockDriver::kShm},
                                       {"sock", RefclockDriver::kSock},
                                       {"pps", RefclockDriver::kPps},
                                       {"phc", RefclockDriver::kPhc}}),
               "How it is read. \"shm\": shared memory of NTP's layout, as gpsd writes it. "
               "\"sock\": a Unix datagram socket in chrony's format, as gpsd writes it. \"pps\": "
               "pulses by the kernel's API (RFC 2783). \"phc\": a PTP hardware clock.")
      .field("name", &It::name, text(63),
             "What reports and `lock` call it. An empty string: SHM and the unit, or the last part "
             "of the path in capitals, like PPS0.")
      .field("refid", &It::refid, text(4),
             "The reference identifier, up to four characters. An empty string: the name's first "
             "four.")
      .field("unit", &It::unit, integer(0u, 0xffffffu),
             "Of the driver \"shm\": the segment's key is 0x4e545030 and this.")
      .field("path", &It::path, text(255),
             "Of \"sock\": where the socket is made (at most 107 bytes), in a folder that only "
             "trusted users may write to. Of \"pps\" and \"phc\": the device; an empty string: "
             "/dev/pps0, /dev/ptp0.")
      .field("permissions", &It::permissions, file_mode(),
             "Who may write to it, and so set this clock, as a file mode. Of \"sock\": the mode of "
             "the socket. Of \"shm\": the most that the segment may permit; one that permits more "
             "is refused, and one that is made here gets it. Without it \"0600\".")
      .field("owner", &It::owner, text(63),
             "Of \"shm\": a user by name or number whose segment is taken, besides root's and our "
             "own.")
      .field("edge", &It::edge,
             one_of<RefclockEdge>(
                 {{"assert", RefclockEdge::kAssert}, {"clear", RefclockEdge::kClear}}),
             "Which edge of a pulse begins the second.")
      .field("min_width", &It::min_width, duration(Duration(), second),
             "Of \"pps\": a pulse that is shorter is noise. The device must capture both edges. "
             "\"0s\": any width.")
      .field("samples", &It::samples, integer(1u, 25u),
             "Of \"phc\": how often both clocks are read in a row; the quickest readings count.")
      .field("external", &It::external, boolean(),
             "Of \"phc\": take the pulses at an input of the device, not its clock's time.")
      .field("channel", &It::channel, integer(0u, 255u), "The input's number.")
      .field("pin", &It::pin, integer(0u, 255u), "The pin that becomes the input.")
      .field("dpoll", &It::dpoll, integer(kLowestPoll, kHighestPoll),
             "How often the driver is read, as a power of two of seconds. A socket is read when "
             "something comes.")
      .field("poll", &It::poll, integer(kLowestPoll, kHighestPoll),
             "How often the readings become a sample, as a power of two of seconds, at the most: "
             "more often while the clock of this machine wanders more than the readings scatter.")
      .field("filter", &It::filter, integer(1, 1024),
             "The most readings that make a sample. Those far off the others are left out; four "
             "are needed, or all where fewer are kept.")
      .field("min_samples", &It::min_samples, integer(1, 128),
             "Let at least so many samples count, however much the clock seems to wander.")
      .field("max_samples", &It::max_samples, integer(1, 128), "Keep at most so many.")
      .field("pulses", &It::pulses, boolean(),
             "The readings only tell where seconds begin, as those of \"pps\" do.")
      .field("rate", &It::rate, integer(1, 1000), "Pulses in a second.")
      .field("lock", &It::lock, text(255),
             "For pulses: the source that tells which second one begins: the name of another "
             "reference clock, or the address of a server as it is written here. An empty string: "
             "all sources together.")
      .field("stratum", &It::stratum, integer(0, 14),
             "The stratum of the reference clock; that of this machine is one more.")
      .field("offset", &It::offset, duration(-day, day),
             "Added to its time: positive when it is late, as by a cable.")
      .field("delay", &It::delay, duration(Duration(), Duration::seconds(3)),
             "Half of it is the most that the clock may be off without anybody noticing: it widens "
             "the interval in which the true time is sought. For serial messages \"200ms\" or "
             "more.")
      .field("precision", &It::precision, maybe(duration(Duration::nanoseconds(1), second)),
             "How fine it is. Without it \"1us\" for \"shm\", \"1ns\" for the others.")
      .field("max_dispersion", &It::max_dispersion, duration(Duration(), Duration::seconds(16)),
             "Readings that scatter by more make no sample. \"0s\": any.")
      .field("tai", &It::tai, boolean(),
             "It keeps TAI, not UTC. The difference is that of leap_file; without that file "
             "nothing is taken from the clock.")
      .field("prefer", &It::prefer, boolean(),
             "Of the sources that agree, use the preferred ones only.")
      .field("trust", &It::trust, boolean(), "What trusted sources agree on, others can't outvote.")
      .field("require", &It::require, boolean(), "One of the sources with this setting must agree.")
      .field("noselect", &It::noselect, boolean(), "Measure it, never use it.")
      .check([](const It& it) { return check_one(it); });
  return out;
}

std::string check_refclocks(const std::vector<NtpRefclockConfig>& refclocks) {
  for (std::size_t i = 0; i < refclocks.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (refclocks[i].effective_name() == refclocks[j].effective_name()) {
        return "two [[refclock]] are named \"" + refclocks[i].effective_name() + "\"";
      }
    }
  }
  return "";
}

}  // namespace timepool::config
