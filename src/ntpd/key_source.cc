#include "ntpd/key_source.h"

#include <utility>

#include "base/check.h"

namespace timepool::ntpd {
namespace {

Result<net::TlsClientOptions> options_of(const ntp::NtsSettings& settings) {
  net::TlsClientOptions out;
  out.ca_files = settings.ca_files;
  if (out.ca_files.empty()) {
    out.ca_files.emplace_back(net::TlsClientContext::kSystemAuthorities);
  }
  for (const std::string& pin : settings.pins) out.pins.push_back(TRY(net::parse_key_hash(pin)));
  return out;
}

}  // namespace

// Read anew for each: files of authorities change, and key establishments are rare.
Result<std::shared_ptr<const net::TlsClientContext>> KeySource::context_of(
    const ntp::NtsSettings& settings) {
  net::TlsClientOptions options = TRY(options_of(settings));
  return net::TlsClientContext::create(std::move(options));
}

Result<void> KeySource::establish(const ntp::SourceConfig& source, const Endpoint& server,
                                  const nts::DateRule& dates, Done done) {
  KeyRequest request;
  request.server = server;
  const std::string& name = source.nts.certificate_name;
  request.peer.name = name.empty() ? source.name : name;
  request.peer.dates = {dates.begun ? net::TlsDates::Check::kAt : net::TlsDates::Check::kSince,
                        dates.time};
  auto context = context_of(source.nts);
  if (!context.ok()) {
    count("settings");
    return fail(std::move(context).error());
  }
  request.tls = std::move(context).value();
  for (const AeadId aead : source.nts.aeads) CHECK(request.records.aeads.push_back(aead));
  const auto finish = [this, done = std::move(done)](const KeyResult& result) {
    count(label_of(result));
    done(result);
  };
  if (client_.start(std::move(request), finish)) return {};
  count("too_many");
  return fail(Error{ErrorCode::kExhausted, "establish keys", "too many at once"});
}

void KeySource::count(const std::string& label) {
  const bool room = outcomes_.size() < kMaxLabels || outcomes_.contains(label);
  ++outcomes_[room ? label : "other"];
}

}  // namespace timepool::ntpd
