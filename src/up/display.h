// Display: how `timepool up` tells what it does: a table that is redrawn on a terminal, lines when
// something changes elsewhere, or one JSON object a line for machines.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "up/plan.h"

namespace timepool::up {

struct ServerState {
  std::string address;
  Role role = Role::kOther;
  std::string country;
  std::uint64_t netspeed = 0;
  std::optional<double> score;
  std::optional<double> offset;  // seconds, as monitors measured it last
  bool in_dns = false;
  std::string reason;  // why not
  // Of its name for NTS; all empty when it has none.
  std::string nts_name;    // as in DNS
  std::string nts_state;   // "waiting", "confirmed", "failing"
  std::string nts_reason;  // why it is not confirmed
  bool in_srv = false;
};

struct PoolState {
  bool manager_answers = false;
  std::vector<ServerState> servers;
  bool client_runs = false;
  std::vector<std::string> client_selected;  // addresses
  std::size_t client_sources = 0;            // that it has
  bool nts_client_runs = false;
  std::vector<std::string> nts_client_selected;  // names
};

class Display {
 public:
  virtual ~Display() = default;
  // Something happened: "started", "exited", "restarted", "note", ... with its details.
  virtual void event(std::string_view kind, const boost::json::object& details) = 0;
  // How things are, once a second.
  virtual void state(const PoolState& state, Duration since_start) = 0;
  // The last word.
  virtual void summary(const boost::json::object& summary) = 0;
};

std::unique_ptr<Display> make_json_display();
// `terminal`: redraws; else lines.
std::unique_ptr<Display> make_text_display(const Plan& plan, bool terminal);

}  // namespace timepool::up
