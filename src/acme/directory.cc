#include "acme/directory.h"

#include "acme/json_fields.h"
#include "acme/message.h"

namespace timepool::acme {
namespace {

// "" when it is none that could be asked.
std::string url_of(const boost::json::object& object, std::string_view key) {
  const std::string_view text = text_of(object, key);
  return is_https_url(text) ? std::string(text) : std::string();
}

void read_meta(const boost::json::object& meta, Directory& out) {
  out.terms_of_service = plain(text_of(meta, "termsOfService"), Directory::kMaxText);
  out.external_account_required = flag_of(meta, "externalAccountRequired");
  const auto* profiles = object_of(meta, "profiles");
  if (profiles == nullptr) return;
  for (const auto& it : *profiles) {
    const std::string_view name(it.key().data(), it.key().size());
    if (name.size() > Directory::kMaxText || out.profiles.size() >= Directory::kMaxProfiles) {
      continue;
    }
    out.profiles.emplace(name, plain(text_of(*profiles, name), Directory::kMaxText));
  }
}

}  // namespace

Result<Directory, FailureKind> parse_directory(std::string_view body) {
  const auto object = json_object(body);
  if (!object) return fail(FailureKind::kRubbish);
  Directory out;
  out.new_nonce = url_of(*object, "newNonce");
  out.new_account = url_of(*object, "newAccount");
  out.new_order = url_of(*object, "newOrder");
  out.key_change = url_of(*object, "keyChange");
  out.revoke_cert = url_of(*object, "revokeCert");
  out.renewal_info = url_of(*object, "renewalInfo");
  if (out.new_nonce.empty() || out.new_account.empty() || out.new_order.empty()) {
    return fail(FailureKind::kRubbish);
  }
  if (const auto* meta = object_of(*object, "meta")) read_meta(*meta, out);
  return out;
}

}  // namespace timepool::acme
