// Any request with a TSIG record: judged, and answered with a record of our own that parses.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/siphash.h"
#include "dns/transfer/tsig.h"
#include "wire/dns/query.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file

class FuzzMac : public Mac {
 public:
  std::size_t size() const override { return 8; }
  void sign(Bytes message, MutableBytes digest) const override {
    const std::uint64_t hash = siphash24({1, 2}, message);
    for (std::size_t i = 0; i < digest.size(); ++i) {
      digest[i] = static_cast<std::byte>(hash >> (8 * i));
    }
  }
  // Every second digest is right, so that both ways are gone.
  bool verify(Bytes, Bytes digest) const override {
    return (std::to_integer<unsigned>(digest[0]) & 1) != 0;
  }
};

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
