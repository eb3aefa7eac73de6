#include "dnsd/sandbox.h"

#include "sys/file.h"

namespace timepool::dnsd {

using sys::PathAccess;

sys::SandboxNeeds sandbox_needs(const config::DnsdConfig& config, const std::string& config_path) {
  sys::SandboxPaths out;
  out.add_system();
  out.add_directory_of(config_path, PathAccess::kRead);
  for (const std::string& file : config.geoip.files) out.add_directory_of(file, PathAccess::kRead);
  out.add(config.zones.directory, PathAccess::kRead);
  out.add(config.zones.health_directory, PathAccess::kRead);
  out.add(config.dnssec.directory, PathAccess::kWrite);
  out.add(config.transfer.journal, PathAccess::kWrite);
  out.add(config.snapshot.directory, PathAccess::kWrite);
  out.add_directory_of(config.snapshot.ca_file, PathAccess::kRead);
  for (const sys::CertificateFiles& it : config.tls.certificates) {
    out.add_directory_of(it.chain, PathAccess::kRead);
    out.add_directory_of(it.key, PathAccess::kRead);
  }
  out.add_directory_of(config.cookies.seed_file, PathAccess::kRead);
  out.add_directory_of(config.query_log.file, PathAccess::kWrite);
  out.add_directory_of(config.accounting.token_file, PathAccess::kRead);
  out.add_directory_of(config.accounting.spool_file, PathAccess::kWrite);
  if (!config.control.socket.empty()) {
    out.add(sys::directory_of(config.control.socket), PathAccess::kWrite);
  }
  return {out.take(), {}, {}};
}

}  // namespace timepool::dnsd
