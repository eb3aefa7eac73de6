#include "certificates/webroot.h"

#include <unistd.h>

#include "acme/base64url.h"
#include "base/check.h"
#include "sys/file.h"

namespace timepool::certificates {

Result<void> Webroot::prepare() const {
  return sys::make_directories(place());
}

Result<void> Webroot::present(const std::vector<acme::Challenge>& challenges) {
  remove_files();
  TRY(prepare());
  for (const acme::Challenge& it : challenges) {
    if (it.type != acme::ChallengeType::kHttp01) {
      return fail(Error{ErrorCode::kInvalid, directory_,
                        "a web server's directory proves names by http-01 only"});
    }
    // The machine takes no other tokens: nothing of an authority's choice becomes a path.
    CHECK(acme::is_base64url(it.token));
    const std::string file = place() + "/" + it.token;
    TRY(sys::write_file_atomic(file, it.key_authorization, 0644));
    files_.push_back(file);
  }
  return {};
}

void Webroot::withdraw(Proved /*proved*/) {
  remove_files();
}

void Webroot::remove_files() {
  for (const std::string& file : files_) ::unlink(file.c_str());
  files_.clear();
}

}  // namespace timepool::certificates
