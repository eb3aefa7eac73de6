// An authority that says anything at any time: each machine ends, and a certificate comes only of
// what looks like one. The input is cut at line feeds into replies; the first octet of each is its
// status and whether it has a nonce, a location and a Retry-After.
#include <cstdint>
#include <string_view>

#include "acme/issuance.h"
#include "base/check.h"

namespace {

using namespace timepool;
using namespace timepool::acme;

class Key final : public AccountKey {
 public:
  std::string_view algorithm() const override { return "ES256"; }
  std::vector<std::byte> sign(std::string_view) const override {
    return std::vector<std::byte>(64);
  }
  const std::string& jwk() const override { return jwk_; }
  const std::string& thumbprint() const override { return thumbprint_; }

 private:
  std::string jwk_ = "{}";
  std::string thumbprint_ = "print";
};

Reply reply_of(std::string_view line) {
  constexpr int kStatuses[] = {200, 201, 400, 403, 404, 409, 429, 500};
  Reply out;
  const unsigned char head = line.empty() ? 0 : static_cast<unsigned char>(line[0]);
  out.status = kStatuses[head & 7];
  if ((head & 8) == 0) out.nonce = "n";
  if ((head & 16) == 0) out.location = "https://ca.test/order/1";
  if ((head & 32) != 0) out.retry_after = "7";
  out.body = line.empty() ? "" : line.substr(1);
  if ((head & 64) != 0) out.links = {out.body};
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const Key key;
  IssuanceSettings settings;
  settings.directory = "https://ca.test/dir";
  settings.names = {{"dns", "a.example"}};
  settings.csr = "csr";
  settings.terms_agreed = true;
  settings.alternate_chains = true;
  settings.replaces = "a.b";
  settings.profile = "p";
  Issuance machine(key, settings);
  MonoTime now = MonoTime::from_ns(1);
  // Each reply is one step, each wait another; without input it only loses replies, and ends.
  for (int i = 0; i < 100'000 && !machine.over(); ++i) {
    switch (machine.want(now)) {
      case Want::kRequest: {
        const auto request = machine.take_request();
        CHECK(request.has_value() && is_https_url(request->url));
        if (rest.empty()) {
          machine.handle_no_reply(now, "lost");
          break;
        }
        const std::size_t end = rest.find('\n');
        machine.handle_reply(now, reply_of(rest.substr(0, end)));
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        break;
      }
      case Want::kWait:
        CHECK(machine.wait_until() > now);
        now = machine.wait_until();
        break;
      case Want::kPresent:
        CHECK(!machine.challenges().empty());
        machine.handle_presented(now);
        break;
      case Want::kReply:
      case Want::kNothing:
        break;
    }
  }
  CHECK(machine.over());
  if (machine.succeeded()) CHECK(machine.chains().at(0).starts_with("-----BEGIN CERTIFICATE-----"));
  return 0;
}
