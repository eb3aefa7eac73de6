#include "ntpd/certificate_watch.h"

#include <poll.h>

#include <filesystem>
#include <set>
#include <utility>

#include "sys/clock.h"
#include "sys/file.h"

namespace timepool::ntpd {
namespace {

std::set<std::string> directories_of(
    const std::vector<config::NtsCertificateConfig>& certificates) {
  std::set<std::string> out;
  for (const config::NtsCertificateConfig& it : certificates) {
    for (const std::string& file : {it.chain, it.key}) {
      out.insert(sys::directory_of(file));
      std::error_code error;
      const auto real = std::filesystem::canonical(file, error);
      if (!error) out.insert(real.parent_path().string());
    }
  }
  return out;
}

}  // namespace

void CertificateWatch::set(const std::vector<config::NtsCertificateConfig>& certificates) {
  watch_.stop();
  files_.reset();
  if (certificates.empty()) return;
  const auto tell = [this](const Error& error) {
    logger_.warning("{}: certificates are looked at once a minute", error.text());
  };
  auto made = sys::FileWatch::create();
  if (!made.ok()) return tell(made.error());
  files_.emplace(std::move(made).value());
  for (const std::string& directory : directories_of(certificates)) {
    const Result<void> added = files_->add(directory);
    if (!added.ok()) tell(added.error());
  }
  watch_ = reactor_.watch(files_->fd(), POLLIN, [this](short) { handle_ready(); });
}

void CertificateWatch::handle_ready() {
  if (!files_->take()) return;
  quiet_ = reactor_.at(sys::mono_now() + kQuiet, [this] { changed_(); });
}

}  // namespace timepool::ntpd
