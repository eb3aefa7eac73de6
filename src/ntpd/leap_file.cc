#include "ntpd/leap_file.h"

#include "base/civil.h"
#include "sys/clock.h"
#include "sys/file.h"

namespace timepool::ntpd {
namespace {

constexpr Duration kReadInterval = Duration::seconds(3600);
// The list is published about half a year before it takes effect.
constexpr std::int64_t kExpiryNoticeDays = 28;

std::string date(UnixTime time) {
  return format_utc(time, 0).substr(0, 10);
}

}  // namespace

LeapFile::LeapFile(net::Reactor& reactor, sys::Logger& logger, std::string path,
                   std::function<void(const ntp::LeapTable&)> taken)
    : reactor_(reactor), logger_(logger), path_(std::move(path)), taken_(std::move(taken)) {}

void LeapFile::read() {
  timer_ = reactor_.at(sys::mono_now() + kReadInterval, [this] { read(); });
  const Result<std::string> text = sys::read_file(path_, ntp::kMaxLeapFileSize);
  std::string fault;
  if (!text.ok()) {
    fault = text.error().text();
  } else if (const auto table = ntp::LeapTable::parse(*text); table.ok()) {
    if (*text != text_) {
      text_ = *text;
      take(*table);
    }
    warn_about_expiry(*table);
  } else {
    const ntp::LeapFileFault& at = table.error();
    fault = path_ + (at.line > 0 ? ":" + std::to_string(at.line) : "") + ": " +
            std::string(ntp::name_of(at.error));
  }
  if (!fault.empty() && fault != last_fault_) {
    logger_.error("leap_file: {}; {}", fault,
                  text_.empty() ? "leap seconds come from the sources" : "the last one stays");
  }
  last_fault_ = fault;
}

void LeapFile::take(const ntp::LeapTable& table) {
  const ntp::LeapEntry& last = table.entries().back();
  logger_.info("leap_file: {}, of {}, valid until {}: TAI - UTC is {} s from {} on", path_,
               date(table.updated()), date(table.expires()), last.tai_offset, date(last.at));
  if (!table.has_hash()) logger_.warning("leap_file: {} has no hash to check it by", path_);
  taken_(table);
}

// Once a day.
void LeapFile::warn_about_expiry(const ntp::LeapTable& table) {
  const UnixTime now = sys::unix_now();
  const std::int64_t today = day_of(now);
  if (warned_ == today || day_of(table.expires()) - today > kExpiryNoticeDays) return;
  warned_ = today;
  if (table.expired(now)) {
    logger_.warning("leap_file: {} expired on {}: leap seconds come from the sources", path_,
                    date(table.expires()));
  } else {
    logger_.warning("leap_file: {} expires on {}", path_, date(table.expires()));
  }
}

}  // namespace timepool::ntpd
