// Any octets as the certificate of a proof by TLS-ALPN-01: whatever it is judged, it is judged the
// same way again, and a good one is good for its own name and digest alone. The seeds' name is
// a.example, their key authorization "token.print".
#include <cstdint>
#include <span>
#include <string_view>

#include "base/check.h"
#include "crypto/alpn_proof.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;  // NOLINT: a test program of one file
  constexpr std::string_view kProof = "token.print";
  constexpr std::string_view kOther = "token.other";
  const auto der = std::as_bytes(std::span(data, size));
  const auto digest_of = [](std::string_view text) {
    return crypto::sha256(std::as_bytes(std::span(text.data(), text.size())));
  };
  const auto judged = crypto::judge_alpn_certificate(der, "a.example", digest_of(kProof));
  CHECK(judged == crypto::judge_alpn_certificate(der, "A.EXAMPLE", digest_of(kProof)));
  CHECK(crypto::describe(judged).empty() == (judged == crypto::AlpnProof::kGood));
  if (judged != crypto::AlpnProof::kGood) return 0;
  CHECK(crypto::judge_alpn_certificate(der, "b.example", digest_of(kProof)) ==
        crypto::AlpnProof::kOtherNames);
  CHECK(crypto::judge_alpn_certificate(der, "a.example", digest_of(kOther)) ==
        crypto::AlpnProof::kOtherDigest);
  return 0;
}
