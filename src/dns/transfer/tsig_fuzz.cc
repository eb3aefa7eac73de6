// Any request with a TSIG record: judged, and answered with a record of our own that parses.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/mac_fuzzing.h"
#include "dns/transfer/tsig.h"
#include "wire/dns/query.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file

using fuzzing::FuzzMac;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const dns::TsigKey keys[] = {{"k", wire::dns::DnsName::from_text("k.").value(),
                                       wire::dns::DnsName::from_text("hmac-sha256.").value(),
                                       std::make_shared<FuzzMac>()}};
  const Bytes request = std::as_bytes(std::span(data, size));
  const auto query = wire::dns::parse_query(request);
  if (!query.ok() || query->tsig_offset == 0) return 0;
  auto checked = dns::check_tsig(request, query->tsig_offset, keys, 1'750'000'000);
  if (!checked.ok()) return 0;
  CHECK((checked->key == nullptr) == (checked->error == wire::dns::TsigError::kBadKey ||
                                      checked->error == wire::dns::TsigError::kBadSig));
  dns::TsigSigner signer(std::move(checked).value());
  std::vector<std::byte> answer(4096);
  std::size_t at = query->question_end;
  std::copy_n(request.begin(), at, answer.begin());
  for (int i = 0; i < 2; ++i) {
    const std::size_t before = at;
    at = signer.sign(answer, at, 1'750'000'000);
    CHECK(wire::dns::parse_tsig(Bytes(answer).first(at), before).ok());
  }
  return 0;
}
