#include "dnsd/key_commands.h"

namespace timepool::dnsd {

void add_key_commands(net::ControlServer& control, KeyKeeper& keeper) {
  using Request = boost::json::object;
  using Method = Result<boost::json::object> (KeyKeeper::*)(const Request&);
  const auto add = [&](const char* name, const char* help, Method method) {
    control.add(name, help,
                [&keeper, method](const Request& request) { return (keeper.*method)(request); });
  };
  add("keys", "Keys of signed zones with their states: zone.", &KeyKeeper::list);
  add("keys-ds", "DS records for the parent: zone, early.", &KeyKeeper::ds);
  add("keys-roll", "Replaces keys: zone, role.", &KeyKeeper::roll);
  add("keys-retire", "Replaces one key: zone, tag.", &KeyKeeper::retire);
  add("keys-ds-seen", "Which DS records the parent has: zone, tags.", &KeyKeeper::ds_seen);
  add("keys-generate", "Makes a zone's first keys: zone.", &KeyKeeper::generate);
}

}  // namespace timepool::dnsd
