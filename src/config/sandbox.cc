#include "config/sandbox.h"

namespace timepool::config {

Schema<sys::SandboxSettings> sandbox_schema() {
  using Settings = sys::SandboxSettings;
  Schema<Settings> out;
  out.field("user", &Settings::user, text(64),
            "The user, by name or number, that the daemon becomes after it has bound its sockets. "
            "An empty string: the one that it was started as. Of the capabilities only those that "
            "the configuration needs are kept, whoever it is.")
      .field("seccomp", &Settings::seccomp, boolean(),
             "Refuse system calls that the daemon does not need, and end it when one is tried that "
             "only an intruder would: to start a program, to look into another process.")
      .field(
          "landlock", &Settings::landlock, boolean(),
          "Refuse files that the configuration does not name, where the kernel can (Linux 5.13). "
          "Files that a changed configuration names elsewhere then need a restart.");
  return out;
}

}  // namespace timepool::config
