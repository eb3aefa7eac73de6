#include "config/ntpd_keys.h"

namespace timepool::config {

Schema<NtpKeysConfig> ntpd_keys_schema() {
  Schema<NtpKeysConfig> out;
  out.field("file", &NtpKeysConfig::file, text(4000),
            "The key file: a line for each key, NUMBER TYPE KEY and, if not everybody who has the "
            "key may use it, the addresses and prefixes of those who may, with commas between. "
            "Types are AES128, AES256, SHA256, SHA384 and SHA512; a key is HEX: and hexadecimal "
            "digits or ASCII: and text. `timepool ntp keygen` prints such a line. The file is read "
            "at the start and on reload, and refused when the group or others can read it (RFC "
            "8633 4.1). An empty string: no keys.")
      .field("allow_weak", &NtpKeysConfig::allow_weak, boolean(),
             "Use keys of the types MD5 and SHA1 too (RFC 8573 says why not). Otherwise they are "
             "left out, and the log says which.");
  return out;
}

}  // namespace timepool::config
