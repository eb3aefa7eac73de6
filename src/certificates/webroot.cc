#include "certificates/webroot.h"

#include <unistd.h>

#include "acme/base64url.h"
#include "acme/challenge_responder.h"
#include "base/check.h"
#include "sys/file.h"

namespace timepool::certificates {

Result<void> Webroot::present(const std::vector<acme::Challenge>& challenges) {
  withdraw();
  const std::string place = directory_ + std::string(acme::kChallengePath);
  TRY(sys::make_directories(directory_ + "/.well-known/acme-challenge"));
  for (const acme::Challenge& it : challenges) {
    if (it.type != acme::ChallengeType::kHttp01) {
      return fail(Error{ErrorCode::kInvalid, place,
                        "a web server's directory proves names by http-01 only"});
    }
    // The machine takes no other tokens: nothing of an authority's choice becomes a path.
    CHECK(acme::is_base64url(it.token));
    TRY(sys::write_file_atomic(place + it.token, it.key_authorization, 0644));
    files_.push_back(place + it.token);
  }
  return {};
}

void Webroot::withdraw() {
  for (const std::string& file : files_) ::unlink(file.c_str());
  files_.clear();
}

}  // namespace timepool::certificates
