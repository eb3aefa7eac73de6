#include "monitord/trust_store.h"

#include <utility>

namespace timepool::monitord {

TrustStore::TrustStore(std::map<std::string, std::string> files, sys::Logger& log)
    : log_(log), files_(std::move(files)) {
  files_.try_emplace(std::string(kSystem), net::TlsClientContext::kSystemAuthorities);
}

Result<std::shared_ptr<const net::TlsClientContext>> TrustStore::context(const std::string& word,
                                                                         MonoTime now) {
  const auto file = files_.find(word);
  if (file == files_.end()) {
    return fail(Error{ErrorCode::kNotFound, "the manager's trust \"" + word + "\"",
                      "there is no [[nts.trust]] of that word"});
  }
  const auto known = entries_.find(word);
  if (known != entries_.end() && now - known->second.read < kRefresh) return known->second.context;
  net::TlsClientOptions options;
  options.ca_files = {file->second};
  auto made = net::TlsClientContext::create(std::move(options));
  if (!made.ok() && known == entries_.end()) return fail(std::move(made).error());
  Entry& entry = entries_[word];
  entry.read = now;
  if (made.ok()) {
    entry.context = std::move(*made);
  } else {
    log_.warning("{}; the roots that were read before stay in use", made.error().text());
  }
  return entry.context;
}

}  // namespace timepool::monitord
